import BlockingIO
import Domain
import Egress
import Engines
import Glibc
import Logging
import Synchronization

/// Watches what a task's model says, outside of the sandbox: it counts the tokens, ends a task that has none left, and
/// writes down what a replay needs. What an earlier agent saw of the same task counts too.
final class TrafficWatch: EgressWitness {
    private struct State {
        /// Of each answer, by its number.
        var usage: [Int: TokenUsage] = [:]
        var answers: [RecordedAnswer] = []
        /// Of the answers, in bytes; more than can be kept is not kept.
        var size = 0
        var next = 0
        var hasRefused = false
    }

    private let budget: Int?
    private let path: String
    private let pool: BlockingPool
    private let onRefusal: @Sendable () -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - budget: how many tokens the task may use; `nil` is without a limit.
    ///   - path: of the file that the answers are written to. Blocks when there is one.
    ///   - onRefusal: called once, when the task asked for more than it may have.
    init(budget: Int?, path: String, pool: BlockingPool, onRefusal: @escaping @Sendable () -> Void) {
        self.budget = budget
        self.path = path
        self.pool = pool
        self.onRefusal = onRefusal
        var state = State()
        for answer in Self.left(at: path) {
            state.usage[answer.number] = answer.usage
            state.next = max(state.next, answer.number + 1)
            state.size += answer.body.utf8.count
            state.answers.append(answer)
        }
        self.state = Mutex(state)
    }

    /// Whether the task was refused an answer because it had used all that it may.
    var hasRefused: Bool { state.withLock { $0.hasRefused } }

    /// Of all answers, also of those that broke off.
    var usage: TokenUsage { state.withLock { $0.usage.values.reduce(.zero, +) } }

    /// What a replay needs; empty when it is too long to be kept.
    var traffic: ModelTraffic {
        ModelTraffic(answers: state.withLock { $0.size > JobCompletion.transcriptLimit ? [] : $0.answers })
    }

    // MARK: EgressWitness

    func mayAsk() -> Bool {
        guard let budget else { return true }
        let (may, isFirst) = state.withLock { state -> (Bool, Bool) in
            guard state.usage.values.reduce(.zero, +).total >= budget else { return (true, false) }
            defer { state.hasRefused = true }
            return (false, !state.hasRefused)
        }
        if isFirst { onRefusal() }
        return may
    }

    func answer(to operation: String, contentType: String) -> any EgressAnswerReader {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        return Reader(
            watch: self, number: number, operation: operation, contentType: contentType,
            reader: TrafficReader(contentType: contentType))
    }

    private struct Reader: EgressAnswerReader {
        let watch: TrafficWatch
        let number: Int
        let operation: String
        let contentType: String
        var reader: TrafficReader

        mutating func read(_ bytes: [UInt8]) {
            reader.read(bytes)
            watch.note(reader.usage, of: number)
        }

        mutating func finish() async {
            let body = reader.finish()
            watch.note(reader.usage, of: number)
            guard let body else { return }
            await watch.keep(
                RecordedAnswer(
                    number: number, operation: operation, contentType: contentType, body: body, usage: reader.usage))
        }
    }

    private func note(_ usage: TokenUsage, of number: Int) { state.withLock { $0.usage[number] = usage } }

    private func keep(_ answer: RecordedAnswer) async {
        let hadRoom = state.withLock { state in
            let hadRoom = state.size <= JobCompletion.transcriptLimit
            state.size += answer.body.utf8.count
            if state.size <= JobCompletion.transcriptLimit {
                state.answers.append(answer)
            } else {
                state.answers = []
            }
            return hadRoom
        }
        // The first answer for which there is no room is written too: whoever reads it knows that there was none.
        guard hadRoom else { return }
        let path = path
        // For the agent that may come next. Losing it costs that one the count and the replay, not the work.
        await pool.runEvenIfCancelled { Self.append(ModelTraffic.line(answer), to: path) }
    }

    // MARK: The file

    private static func append(_ line: [UInt8], to path: String) {
        guard let file = try? OpenFile(path, flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600) else {
            return
        }
        try? line.withUnsafeBytes { try file.write($0) }
        try? file.close()
    }

    private static func left(at path: String) -> [RecordedAnswer] {
        guard let file = try? OpenFile(path, flags: O_RDONLY | O_NOFOLLOW) else { return [] }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        // All that fits, and one answer more, each with its escapes.
        while bytes.count <= 5 * JobCompletion.transcriptLimit,
            let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0
        {
            bytes += buffer[..<count]
        }
        try? file.close()
        return ModelTraffic(left: bytes).answers
    }
}

/// Says once more what a model said when an edit was made, each answer once and in the order of that time.
final class TrafficPlayback: EgressPlayback {
    private let state: Mutex<(rest: [RecordedAnswer], hasRunOut: Bool)>

    init(_ traffic: ModelTraffic) { state = Mutex((traffic.answers, false)) }

    /// Whether more was asked than was said then.
    var hasRunOut: Bool { state.withLock { $0.hasRunOut } }

    func next(to operation: String) -> (contentType: String, body: [UInt8])? {
        state.withLock { state in
            guard let place = state.rest.firstIndex(where: { $0.operation == operation }) else {
                state.hasRunOut = true
                return nil
            }
            let answer = state.rest.remove(at: place)
            return (answer.contentType, Array(answer.body.utf8))
        }
    }
}
