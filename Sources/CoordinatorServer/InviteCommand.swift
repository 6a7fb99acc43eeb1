import ArgumentParser
import Coordinator
import Domain
import Logging

struct InviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Makes a one-time join token for a host, on the coordinator's own machine.",
        discussion: "Example: pagewright-coordinator invite --state /var/lib/pagewright --roles worker,serving")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "What the host will do: worker, serving or both, separated by commas.")
    var roles = "worker,serving"
    @Option(help: "Where agents reach this coordinator, host:port; for the command that is printed.")
    var agentsAddress: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let token: String
        let expiresAt: String
        let roles: [String]
        let command: String
    }

    func run() async throws {
        try await reporting {
            let settings = try options.source()
            let folder = try settings.stateFolder()
            try folder.requireExisting()
            let address = agentsAddress ?? settings.text(.agentsAddress) ?? "127.0.0.1:8443"
            let core = try await CoordinatorCore.open(
                folder, database: try settings.database(), settings: CoordinatorSettings(agentsAddress: address),
                logger: Logger(label: "invite") { _ in SwiftLogNoOpLogHandler() })
            let invitation = try await core.services.hosts.invite(
                roles: roles.split(separator: ",").map(String.init), createdBy: "local")
            if json {
                try printJSON(
                    Output(
                        token: invitation.token, expiresAt: invitation.expiresAt.description,
                        roles: invitation.roles.map(\.rawValue).sorted(), command: invitation.command))
            } else {
                print("Run this on the new host before \(invitation.expiresAt):\n\n  \(invitation.command)")
            }
        }
    }
}
