import ArgumentParser

/// What the exit code of `pagewright` says. The numbers are part of the interface: see docs/cli.md.
enum ExitStatus: Int32, Sendable {
    case success = 0
    /// The coordinator refused, or what was asked for failed.
    case failed = 1
    case usage = 2
    case notLoggedIn = 3
    /// Nobody answers at the address.
    case unreachable = 4
    case timedOut = 5
    /// Ctrl-C, as shells have it.
    case interrupted = 130

    var exitCode: ExitCode { ExitCode(rawValue) }
}
