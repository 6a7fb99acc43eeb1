import Glibc

/// A Chromium that was started for this, and what is said with it over two pipes: JSON that ends with a zero byte. For
/// one thread, which it blocks.
final class BrowserConnection {
    struct Event {
        let method: String
        let session: String?
        let parameters: ProtocolValue
    }

    private static let answerLimit = 64 << 20
    private let process: pid_t
    private let input: Int32
    private let output: Int32
    private var buffer: [UInt8] = []
    private var searched = 0
    private var lastNumber = 0
    /// Gets every event, while something is waited for.
    var onEvent: (Event) -> Void = { _ in }

    /// - Parameter program: Chromium itself and not the script around it.
    init(program: String, arguments: [String]) throws(BrowserError) {
        var commands: [Int32] = [-1, -1]
        var answers: [Int32] = [-1, -1]
        guard pipe2(&commands, O_CLOEXEC) == 0, pipe2(&answers, O_CLOEXEC) == 0 else {
            throw .cannotStart("pipe: \(errno)")
        }
        // Out of the way of the numbers that the child gets them by.
        let childInput = fcntl(commands[0], F_DUPFD_CLOEXEC, 20)
        let childOutput = fcntl(answers[1], F_DUPFD_CLOEXEC, 20)
        input = fcntl(commands[1], F_DUPFD_CLOEXEC, 20)
        output = fcntl(answers[0], F_DUPFD_CLOEXEC, 20)
        for descriptor in commands + answers { close(descriptor) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, childInput, 3)
        posix_spawn_file_actions_adddup2(&actions, childOutput, 4)
        let list: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in list { free(pointer) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, program, &actions, nil, list, environ)
        close(childInput)
        close(childOutput)
        guard status == 0 else {
            close(input)
            close(output)
            throw .cannotStart("\(program): \(String(cString: strerror(status)))")
        }
        process = child
    }

    deinit {
        close(input)
        close(output)
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// Sends a command and waits for its answer. Events that come before it are handed on.
    @discardableResult
    func call(
        _ method: String, _ parameters: ProtocolValue = [:], session: String? = nil, within limit: Duration = .seconds(15)
    ) throws -> ProtocolValue {
        let number = try post(method, parameters, session: session)
        let deadline = ContinuousClock.now + limit
        while true {
            let message = try next(before: deadline, waitingFor: method)
            guard message["id"]?.number == Double(number) else {
                handle(message)
                continue
            }
            if let error = message["error"] { throw BrowserError.refused(method: method, error["message"]?.text ?? "?") }
            return message["result"] ?? [:]
        }
    }

    /// Sends a command whose answer nobody waits for.
    @discardableResult
    func post(_ method: String, _ parameters: ProtocolValue = [:], session: String? = nil) throws -> Int {
        lastNumber += 1
        var message: [String: ProtocolValue] = [
            "id": .number(Double(lastNumber)), "method": .text(method), "params": parameters,
        ]
        if let session { message["sessionId"] = .text(session) }
        let bytes = try ProtocolValue.object(message).bytes + [0]
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(input, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw BrowserError.ended }
            done += count
        }
        return lastNumber
    }

    /// Handles events until `isDone` or until `limit` has passed; returns which.
    func wait(within limit: Duration, until isDone: () -> Bool) throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while !isDone() {
            do {
                handle(try next(before: deadline, waitingFor: "an event"))
            } catch BrowserError.late {
                return isDone()
            }
        }
        return true
    }

    private func handle(_ message: ProtocolValue) {
        guard let method = message["method"]?.text else { return }
        onEvent(Event(method: method, session: message["sessionId"]?.text, parameters: message["params"] ?? [:]))
    }

    /// The next whole message.
    private func next(before deadline: ContinuousClock.Instant, waitingFor what: String) throws -> ProtocolValue {
        while true {
            if let end = buffer[searched...].firstIndex(of: 0) {
                defer {
                    buffer.removeFirst(end + 1)
                    searched = 0
                }
                return try ProtocolValue.parse(buffer[..<end])
            }
            searched = buffer.count
            guard buffer.count < Self.answerLimit else { throw BrowserError.tooLarge }
            let left = (deadline - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else { throw BrowserError.late(what) }
            var poller = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let ready = poll(&poller, 1, Int32(min(milliseconds, 60_000)))
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            var piece = [UInt8](repeating: 0, count: 256 << 10)
            let count = piece.withUnsafeMutableBytes { read(output, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw BrowserError.ended }
            buffer += piece[..<count]
        }
    }
}
