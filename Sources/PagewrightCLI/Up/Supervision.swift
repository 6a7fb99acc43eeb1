import Foundation

/// Follows what happens to the programs of a local system.
struct Supervision {
    /// Somebody asked us to stop.
    struct Interrupted: Error {}

    let state: StateDirectory
    let continuation: AsyncStream<SupervisionEvent>.Continuation
    private var events: AsyncStream<SupervisionEvent>.AsyncIterator
    /// In the order of their start.
    var running: [SupervisedProgram] = []
    private(set) var processes: [String: Int32] = [:]

    init(state: StateDirectory) {
        self.state = state
        let (stream, continuation) = AsyncStream.makeStream(
            of: SupervisionEvent.self, bufferingPolicy: .bufferingNewest(256))
        events = stream.makeAsyncIterator()
        self.continuation = continuation
    }

    /// Waits for the line with which `program` says that it is ready.
    mutating func untilReady<Line: Decodable>(_ program: SupervisedProgram, as type: Line.Type) async throws -> Line {
        while true {
            switch try await next() {
            case .line(program.name, let text):
                if text.contains(#""ready""#), let line = try? APIResponse.decoder().decode(type, from: Data(text.utf8))
                {
                    return line
                }
            case .deadline(program.name):
                throw failure("the \(program.name) is not ready after a minute", log: program.log)
            default: break
            }
        }
    }

    /// Waits until somebody asks to stop, or a program ends by itself. Always throws.
    mutating func untilOver() async throws {
        while true { _ = try await next() }
    }

    /// Stops everything, the last started first.
    mutating func stopAll() async {
        while let program = running.last {
            program.stop()
            while running.contains(where: { $0 === program }) {
                guard let event = await events.next(isolation: #isolation) else { return }
                if case .exited(let name, _) = event { running.removeAll { $0.name == name } }
            }
        }
        state.forgetProcesses()
    }

    /// The next event; the end of a program and a wish to stop are errors.
    private mutating func next() async throws -> SupervisionEvent {
        guard let event = await events.next(isolation: #isolation) else { throw CancellationError() }
        switch event {
        case .interrupted: throw Interrupted()
        case .exited(let name, let description):
            let log = running.first { $0.name == name }?.log ?? ""
            running.removeAll { $0.name == name }
            throw failure("the \(name) ended by itself (\(description))", log: log)
        case .started(let program, let process):
            processes[program] = process
            try state.note(processes: processes)
        case .line, .deadline: break
        }
        return event
    }

    private func failure(_ sentence: String, log: String) -> CLIError {
        let tail = state.tail(of: log).map { "\n    " + $0 }.joined()
        return CLIError(
            .failed, sentence + (tail.isEmpty ? "" : "; its log ends with:" + tail), nextStep: "Read \(log).")
    }
}
