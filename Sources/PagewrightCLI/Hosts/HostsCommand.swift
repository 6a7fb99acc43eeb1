import ArgumentParser
import Foundation

struct HostBody: Decodable {
    let id: String
    let name: String
    let roles: [String]
    let state: String
    let connected: Bool
    let agentVersion: String?
    let certificateExpiresAt: String?
    let lastSeenAt: String?
    let diskFreeBytes: Int64?
    let diskTotalBytes: Int64?
    let credit: Int?
    let jobs: Int?
    let labels: String?
    let upgradingTo: String?

    var disk: String {
        guard let diskFreeBytes, let diskTotalBytes, diskTotalBytes > 0 else { return "-" }
        return "\(Wording.size(diskFreeBytes)) of \(Wording.size(diskTotalBytes))"
    }
}

struct HostsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hosts", abstract: "List the machines, and bring them a new version (administrators).",
        discussion: "Example: pagewright hosts",
        subcommands: [HostsListCommand.self, HostsUpgradeCommand.self, HostsRolloutsCommand.self],
        defaultSubcommand: HostsListCommand.self)
}

struct HostsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the machines.", discussion: "Example: pagewright hosts list")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/hosts")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable(
                "HOST", "NAME", "ROLES", "STATE", "LINK", "VERSION", "LABELS", "CERTIFICATE", "DISK FREE", "JOBS")
            for host in try answer.decode(ListBody<HostBody>.self).items {
                table.add(
                    host.id, host.name, host.roles.joined(separator: ","), host.state,
                    host.connected ? "connected" : "seen \(Wording.age(host.lastSeenAt))",
                    (host.agentVersion ?? "-") + (host.upgradingTo.map { " to \($0)" } ?? ""),
                    host.labels.flatMap { $0.isEmpty ? nil : $0 } ?? "-",
                    "ends \(Wording.age(host.certificateExpiresAt))", host.disk, "\(host.jobs ?? 0)")
            }
            table.print(empty: "There is no host yet. Invite one: pagewright host invite --role worker --role serving")
        }
    }
}

struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Invite, drain, resume and revoke machines (administrators).",
        discussion: "Example: pagewright host invite --role serving",
        subcommands: [
            HostInviteCommand.self, HostDrainCommand.self, HostResumeCommand.self, HostRevokeCommand.self,
            HostLabelCommand.self,
        ])
}

struct HostInviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Make a one-time token with which a machine joins.",
        discussion: "Example: pagewright host invite --role worker --role serving")

    struct InvitationBody: Decodable {
        let token: String
        let expiresAt: String
        let roles: [String]
        let command: String
    }

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "What the machine is to do: worker or serving; may be given twice.") var role: [String]

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/hosts/invitations", body: .json(["roles": role]))
            guard !connection.json else { return Console.print(json: answer.body) }
            let invitation = try answer.decode(InvitationBody.self)
            Console.print("Run this on the machine; it works once and ends \(Wording.age(invitation.expiresAt)):")
            Console.print("")
            Console.print("  \(invitation.command)")
        }
    }
}

/// What `drain`, `resume` and `revoke` have in common.
struct HostChange: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The host's id.") var host: String

    func send(_ action: String, saying sentence: (HostBody) -> String) async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/hosts/\(host)/\(action)")
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print(sentence(try answer.decode()))
        }
    }
}

struct HostDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Give a machine no new work; it keeps what it has.",
        discussion: "Example: pagewright host drain host_01jx…")

    @OptionGroup var change: HostChange

    func run() async throws {
        try await change.send("drain") { "\($0.name) gets no new work. Undo: pagewright host resume \($0.id)" }
    }
}

struct HostResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Give a drained machine work again.",
        discussion: "Example: pagewright host resume host_01jx…")

    @OptionGroup var change: HostChange

    func run() async throws {
        try await change.send("resume") { "\($0.name) gets work again." }
    }
}

struct HostRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Make a machine's certificate worthless, now and for good.",
        discussion: "Example: pagewright host revoke host_01jx… --yes")

    @OptionGroup var change: HostChange
    @Flag(help: "Do not ask.") var yes = false

    func run() async throws {
        if !yes {
            let answer = try PasswordPrompt.ask(
                "This cuts \(change.host) off; it can only come back by a new invitation. Type its id to go on: ",
                option: "--yes")
            guard answer == change.host else { throw CLIError(.failed, "that is not its id; nothing was done") }
        }
        try await change.send("revoke") { "\($0.name) is revoked." }
    }
}

struct HostLabelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Say what kind of machine it is; sites find their hosts by it.",
        discussion: "Replaces all labels that it had.\n\nExample: pagewright host label host_01jx… zone=north,disk=fast"
    )

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The host's id.") var host: String
    @Argument(help: "key=value,key=value; an empty text takes all labels away.") var labels: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.put, "/hosts/\(host)/labels", body: .json(["labels": labels]))
            guard !connection.json else { return Console.print(json: answer.body) }
            let found: HostBody = try answer.decode()
            Console.print("\(found.name): \(found.labels ?? "")")
        }
    }
}
