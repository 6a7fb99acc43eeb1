import Foundation
import Subprocess
import SystemPackage

/// What happens to the programs of a local system, and to it.
enum SupervisionEvent: Sendable, Equatable {
    case started(program: String, process: Int32)
    /// A line on standard output.
    case line(program: String, String)
    case exited(program: String, description: String)
    case interrupted
    case deadline(String)
}

/// A program that runs until it is told to stop. Its standard error goes to a log file.
final class SupervisedProgram: Sendable {
    let name: String
    let log: String
    private let path: String
    private let arguments: [String]
    private let stopRequests: AsyncStream<Void>
    private let stopRequest: AsyncStream<Void>.Continuation

    init(name: String, path: String, arguments: [String], log: String) {
        self.name = name
        self.path = path
        self.arguments = arguments
        self.log = log
        (stopRequests, stopRequest) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    /// Asks it to stop: SIGTERM, and SIGKILL when it has not gone `patience` later.
    func stop() { stopRequest.yield() }

    /// Runs it to its end. Never throws: what goes wrong is an `exited` event.
    func run(patience: Duration, reportingTo events: AsyncStream<SupervisionEvent>.Continuation) async {
        do {
            let errors = try FileDescriptor.open(
                FilePath(log), .writeOnly, options: [.create, .append, .closeOnExec], permissions: .ownerReadWrite)
            var options = PlatformOptions()
            // A group of its own: Ctrl-C at the terminal is for us alone, and we stop the others in order.
            options.processGroupID = 0
            let steps: [TeardownStep] = [.send(signal: .terminate, allowedDurationToNextStep: patience)]
            options.teardownSequence = steps
            let result = try await Subprocess.run(
                .path(FilePath(path)), arguments: Arguments(arguments), platformOptions: options, input: .none,
                output: .sequence, error: .fileDescriptor(errors, closeAfterSpawningProcess: true)
            ) { execution in
                events.yield(.started(program: name, process: execution.processIdentifier.value))
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do {
                            for try await line in execution.standardOutput.strings() {
                                events.yield(.line(program: self.name, line.trimmingCharacters(in: .newlines)))
                            }
                        } catch {
                            // It ends with the program; how that went is in its status.
                        }
                    }
                    group.addTask {
                        for await _ in self.stopRequests {
                            await execution.teardown(using: steps)
                            return
                        }
                    }
                    await group.next()
                    group.cancelAll()
                }
            }
            events.yield(.exited(program: name, description: Self.describe(result.terminationStatus)))
        } catch {
            events.yield(.exited(program: name, description: "could not be started: \(error)"))
        }
    }

    private static func describe(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "exit code \(code)"
        case .signaled(let number): "signal \(number)"
        }
    }
}
