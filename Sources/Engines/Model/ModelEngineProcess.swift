import Domain
import Glibc

/// The engine `model` as a process of its own, inside of a sandbox: a request on standard input, events on standard
/// output, the site in the current folder, the model behind a socket. Everything that a model says is read in here.
package enum ModelEngineProcess {
    /// How often an answer that did not come is asked for again within one attempt; the coordinator tries again later.
    private static let retries = 2
    /// In seconds, of a provider's wish to be left alone.
    private static let longestPause = 20

    /// Gives the exit status: 0 when the work was done, 3 when it was not and the reason was said, 1 when something
    /// else failed.
    package static func run() -> Int32 { run(input: STDIN_FILENO, output: STDOUT_FILENO, folder: ".") }

    static func run(input: Int32, output: Int32, folder: String) -> Int32 {
        guard let bytes = readAll(input, limit: ModelRequest.limit), let request = ModelRequest(serialized: bytes),
            let provider = ModelEndpoint.Provider(rawValue: request.provider)
        else {
            write("cannot read the request\n", to: STDERR_FILENO)
            return 1
        }
        let emit: (ModelEvent) -> Void = { write($0.line + "\n", to: output) }
        var transcript = ModelTranscript()
        do {
            let ask = request.isReplay ? try replay(request) : client(of: request, provider: provider, emit: emit)
            let loop = ModelLoop(request: request, ask: ask, emit: emit)
            let summary = try loop.run(in: folder, transcript: &transcript)
            if !request.isReplay { save(transcript.bytes, at: request.transcriptPath) }
            emit(.finished(summary: summary.shown(limit: request.schema == nil ? 4000 : 200_000)))
            return 0
        } catch let error as ModelFailure {
            emit(.failed(error.failure))
            return 3
        } catch {
            emit(.failed(JobFailure(kind: .task, code: "engine-failed", message: "The edit failed: \(error)")))
            return 3
        }
    }

    // MARK: Asking

    static func client(
        of request: ModelRequest, provider: ModelEndpoint.Provider, emit: @escaping (ModelEvent) -> Void
    ) -> (ModelTalk, String) throws -> ModelReply {
        let dialect = ModelDialects.dialect(for: provider)
        return { talk, _ in
            let body = dialect.body(of: talk).serialized
            var attempt = 0
            while true {
                do throws(ModelFailure) {
                    return try ask(dialect, body, of: request)
                } catch {
                    guard let pause = error.retryAfter, attempt < retries, pause <= longestPause else { throw error }
                    attempt += 1
                    emit(.log("\(error.failure.message) Asking again."))
                    sleep(UInt32(max(pause, 1 << (attempt - 1))))
                }
            }
        }
    }

    private static func ask(
        _ dialect: any ModelDialect, _ body: String, of request: ModelRequest
    ) throws(ModelFailure) -> ModelReply {
        let connection = try ModelConnection(
            socket: request.socket, target: dialect.target,
            headers: dialect.headers + [(name: "accept", value: "text/event-stream")], body: body,
            silence: .milliseconds(request.silence))
        guard connection.status == 200 else {
            throw ModelFailure(
                status: connection.status, body: try connection.text(),
                retryAfter: connection.header("retry-after").flatMap { Int($0) })
        }
        guard connection.header("content-type")?.lowercased().hasPrefix("text/event-stream") == true else {
            throw .garbage("it is no stream of events")
        }
        var events = ServerSentEvents()
        var reader = dialect.makeReader()
        while !reader.isComplete, let piece = try connection.next() {
            let found: [ServerSentEvent]
            do throws(ServerSentEvents.TooLong) {
                found = try events.feed(piece)
            } catch {
                throw .garbage("an event that is too long")
            }
            for event in found where !reader.isComplete { try reader.read(event) }
        }
        guard reader.isComplete else { throw .unavailable("the answer broke off") }
        return reader.reply
    }

    // MARK: Following a transcript

    private static func replay(_ request: ModelRequest) throws -> (ModelTalk, String) throws -> ModelReply {
        let file = open(request.replayPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw diverged("there is no transcript") }
        defer { close(file) }
        guard let bytes = readAll(file, limit: JobCompletion.transcriptLimit),
            let replies = ModelTranscript.replies(in: bytes)
        else { throw diverged("the transcript cannot be read") }
        let reader = ReplayReader(replies)
        return { _, mark in try reader.next(mark) }
    }

    private final class ReplayReader {
        private var rest: ArraySlice<(mark: String, reply: ModelReply)>
        init(_ replies: [(mark: String, reply: ModelReply)]) { rest = replies[...] }

        func next(_ mark: String) throws(ModelFailure) -> ModelReply {
            guard let entry = rest.popFirst() else { throw diverged("the transcript has no more answers") }
            guard entry.mark == mark else { throw diverged("the model would be told something else today") }
            return entry.reply
        }
    }

    private static func diverged(_ why: String) -> ModelFailure {
        ModelFailure(
            JobFailure(
                kind: .task, code: "replay-diverged", message: "The transcript cannot be followed: \(why)."))
    }

    // MARK: Files

    private static func save(_ bytes: [UInt8], at path: String) {
        guard !bytes.isEmpty else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        if !write(bytes, to: file) { unlink(path) }
    }

    private static func readAll(_ file: Int32, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= limit else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    private static func write(_ text: String, to file: Int32) { _ = write(Array(text.utf8), to: file) }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
