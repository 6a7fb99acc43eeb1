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
        /// What became of files after each answer, by its number.
        var effects: [Int: [StepEffect]] = [:]
        /// Of the newest answer that came whole: its number, and what the model said if it declined.
        var last: (number: Int, refusal: String?) = (-1, nil)
    }

    private let budget: Int?
    /// `nil` when nobody wants to know what the answers made the task do.
    private let workspace: WorkspaceWatch?
    private let path: String
    private let pool: BlockingPool
    private let onRefusal: @Sendable () -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - budget: how many tokens the task may use; `nil` is without a limit.
    ///   - workspace: what is looked at whenever the task asks again, and has begun already.
    ///   - path: of the file that the answers are written to. Blocks when there is one.
    ///   - onRefusal: called once, when the task asked for more than it may have.
    init(
        budget: Int?, workspace: WorkspaceWatch? = nil, path: String, pool: BlockingPool,
        onRefusal: @escaping @Sendable () -> Void
    ) {
        self.budget = budget
        self.workspace = workspace
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
        if let answer = state.answers.max(by: { $0.number < $1.number }) {
            var reader = TrafficReader(contentType: answer.contentType)
            reader.read(Array(answer.body.utf8))
            state.last = (answer.number, reader.refusal)
        }
        self.state = Mutex(state)
    }

    /// Whether the task was refused an answer because it had used all that it may.
    var hasRefused: Bool { state.withLock { $0.hasRefused } }

    /// What the model said when it declined in its newest answer; `nil` when it did not.
    var refusal: String? { state.withLock { $0.last.refusal } }

    /// Of all answers, also of those that broke off.
    var usage: TokenUsage { state.withLock { $0.usage.values.reduce(.zero, +) } }

    /// What a replay needs; empty when it is too long to be kept.
    var traffic: ModelTraffic {
        ModelTraffic(
            answers: state.withLock { state in
                guard state.size <= JobCompletion.transcriptLimit else { return [] }
                return state.answers.map { answer in
                    var answer = answer
                    answer.effects = state.effects[answer.number]
                    return answer
                }
            })
    }

    /// What an earlier agent's task had done when this one came; it counts as done after the newest answer.
    func note(effects: [StepEffect]) {
        state.withLock { state in
            // Of the answers before it is not known any more which did what.
            guard let last = state.answers.map(\.number).max() else { return }
            state.effects[last, default: []] += effects
        }
    }

    /// Looks at the workspace: once more when the task has ended.
    func lookAtWorkspace() async {
        guard let workspace else { return }
        let number = state.withLock { $0.next - 1 }
        guard number >= 0 else { return }
        let effects = await pool.runEvenIfCancelled { workspace.look() }
        state.withLock { state in
            var room = Self.contentsLimit
            for kept in state.effects.values.joined() { room -= kept.text?.utf8.count ?? 0 }
            for var effect in effects {
                room -= effect.text?.utf8.count ?? 0
                if room < 0 { effect.text = nil }
                state.effects[number, default: []].append(effect)
            }
            if effects.isEmpty { state.effects[number, default: []] += [] }
        }
    }

    /// Of contents of files, beside the answers.
    private static let contentsLimit = 256 << 10

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

    func taskAsks() async { await lookAtWorkspace() }

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
            watch.note(refusal: reader.refusal, of: number)
            guard let body else { return }
            await watch.keep(
                RecordedAnswer(
                    number: number, operation: operation, contentType: contentType, body: body, usage: reader.usage))
        }
    }

    private func note(_ usage: TokenUsage, of number: Int) { state.withLock { $0.usage[number] = usage } }

    private func note(refusal: String?, of number: Int) {
        state.withLock { if number > $0.last.number { $0.last = (number, refusal) } }
    }

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
    private struct State {
        var rest: [RecordedAnswer]
        var said = 0
        var last: RecordedAnswer?
        var hasRunOut = false
    }

    private let state: Mutex<State>
    /// What holds the workspace against the record; `nil` when there is no record of it.
    private let steps: StepReplay?

    init(_ traffic: ModelTraffic, steps: StepReplay? = nil) {
        state = Mutex(State(rest: traffic.answers))
        self.steps = steps
    }

    func taskAsks() async { await settle() }

    /// To be called when the task asks again, and when it has ended.
    func settle() async {
        guard let steps else { return }
        let (last, number) = state.withLock { ($0.last, $0.said) }
        if let last { await steps.settle(last.effects, step: number) }
    }

    /// Whether more was asked than was said then.
    var hasRunOut: Bool { state.withLock { $0.hasRunOut } }

    func next(to operation: String) -> (contentType: String, body: [UInt8])? {
        state.withLock { state in
            guard let place = state.rest.firstIndex(where: { $0.operation == operation }) else {
                state.hasRunOut = true
                return nil
            }
            let answer = state.rest.remove(at: place)
            state.last = answer
            state.said += 1
            return (answer.contentType, Array(answer.body.utf8))
        }
    }
}
