import ArgumentParser
import Glibc

/// Says it again and again.
struct WatchOption: ParsableArguments {
    @Flag(help: "Say it again every two seconds, until Ctrl-C.") var watch = false

    /// Runs `body` once, or for ever; then an agent that does not answer is no end.
    func run(asJSON: Bool, _ body: () async throws -> Void) async throws {
        guard watch else { return try await body() }
        while true {
            if !asJSON, isatty(STDOUT_FILENO) == 1 { Output.print("\u{1b}[H\u{1b}[2J") }
            do {
                try await body()
            } catch is ExitCode {
                // How it is now; it may be better the next time.
            } catch {
                Output.printError("\(error)")
            }
            try await Task.sleep(for: .seconds(2))
        }
    }
}
