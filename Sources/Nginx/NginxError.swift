/// Why nginx cannot do what was asked, in words that a person can act on.
package struct NginxError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// There is no nginx on this machine.
        case missing
        case portTaken(Int)
        case portNotPermitted(Int)
        case configurationRefused
        /// It runs, and does not answer as the configuration in force would.
        case noAnswer
        /// It ended on its own.
        case ended
        /// The folder for its files cannot be used.
        case directory
    }

    package let reason: Reason
    /// One sentence, in lower case and without a full stop.
    package let message: String
    /// What a person can do next, as a sentence.
    package let nextStep: String

    package init(_ reason: Reason, _ message: String, nextStep: String) {
        self.reason = reason
        self.message = message
        self.nextStep = nextStep
    }

    package var description: String { "\(message). \(nextStep)" }

    static func missing(looked: String) -> NginxError {
        NginxError(
            .missing, "nginx is not installed (looked for \(looked))",
            nextStep: "Install it, for example with: apt install nginx, or name it with --nginx PATH.")
    }

    static func portTaken(_ address: NginxListenAddress) -> NginxError {
        NginxError(
            .portTaken(address.port), "port \(address.port) on \(address.host) is taken by another program",
            nextStep: "Stop that program (ss -ltnp shows it), or listen elsewhere with --sites-listen ADDRESS:PORT.")
    }

    static func portNotPermitted(_ address: NginxListenAddress) -> NginxError {
        NginxError(
            .portNotPermitted(address.port), "this user may not listen on \(address)",
            nextStep: "Choose a port above 1023 and an address of this machine with --sites-listen ADDRESS:PORT.")
    }
}
