import ArgumentParser
import Foundation

@main
enum Program {
    static func main() async {
        // A reader that goes away (`pagewright events -f | head`) is an error to see, not a death.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try Pagewright.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error, asJSON: arguments.contains("--json")).rawValue)
        }
    }

    /// Says what went wrong, and with which code to leave.
    private static func report(_ error: any Error, asJSON: Bool) -> ExitStatus {
        if let code = error as? ExitCode { return ExitStatus(rawValue: code.rawValue) ?? .failed }
        if error is CancellationError { return .interrupted }
        guard let error = error as? CLIError else {
            let code = Pagewright.exitCode(for: error)
            let message = Pagewright.fullMessage(for: error)
            if code.isSuccess {
                Console.print(message)
                return .success
            }
            let isUsage = code == .validationFailure
            Console.printError(message)
            return isUsage ? .usage : .failed
        }
        if asJSON {
            Console.printError(String(decoding: error.json, as: UTF8.self))
        } else {
            for line in error.lines { Console.printError(line) }
        }
        return error.status
    }
}
