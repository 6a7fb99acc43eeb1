import ArgumentParser
import Coordinator
import FleetIdentity

struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Shows the fleet's certificate authority, or makes it when there is none.",
        discussion: "Example: pagewright-coordinator ca --state /var/lib/pagewright --json")

    @OptionGroup var state: StateOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let trustDomain: String
        let pin: String
        let directory: String
    }

    func run() async throws {
        try await reporting {
            try state.folder.create()
            let authority = try CertificateAuthority.loadOrCreate(
                inDirectory: state.folder.authority, at: SystemClock().now())
            if json {
                try printJSON(
                    Output(
                        trustDomain: authority.trustDomain.text, pin: authority.pin.text,
                        directory: state.folder.authority))
            } else {
                print("trust domain  \(authority.trustDomain.text)\nkey pin       \(authority.pin.text)")
                print("directory     \(state.folder.authority)")
            }
        }
    }
}
