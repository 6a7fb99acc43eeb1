import ArgumentParser
import Coordinator
import FleetIdentity

struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Shows the fleet's certificate authority, or makes it when there is none.",
        discussion: "Example: pagewright-coordinator ca --state /var/lib/pagewright --json")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let trustDomain: String
        let pin: String
        let directory: String
    }

    func run() async throws {
        try await reporting {
            let folder = try options.source().stateFolder()
            try folder.create()
            let authority = try CertificateAuthority.loadOrCreate(
                inDirectory: folder.authority, at: SystemClock().now())
            if json {
                try printJSON(
                    Output(
                        trustDomain: authority.trustDomain.text, pin: authority.pin.text,
                        directory: folder.authority))
            } else {
                print("trust domain  \(authority.trustDomain.text)\nkey pin       \(authority.pin.text)")
                print("directory     \(folder.authority)")
            }
        }
    }
}
