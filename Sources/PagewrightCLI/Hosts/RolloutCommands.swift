import ArgumentParser
import Foundation

struct RolloutBody: Decodable {
    struct Member: Decodable {
        let hostId: String
        let wave: Int
        let state: String
        let previousVersion: String
        let detail: String
    }

    let id: String
    let version: String
    let state: String
    let reason: String?
    let startsAt: String
    let members: [Member]

    var isOver: Bool { !["scheduled", "running"].contains(state) }
    var healthy: Int { members.filter { $0.state == "healthy" }.count }

    func print() {
        Console.print("\(id)  to \(version): \(state)\(reason.map { " (\($0))" } ?? "")")
        var table = TextTable("HOST", "WAVE", "STATE", "BEFORE", "DETAIL")
        for member in members {
            table.add(member.hostId, "\(member.wave)", member.state, member.previousVersion, member.detail)
        }
        table.print(empty: "No host is in it.")
    }
}

struct HostsUpgradeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Bring a version of the agent to all machines: one, then a fifth, then the rest.",
        discussion: """
            A machine that is not well within two minutes goes back to the version before, and no other one is begun.
            Waits for the end; with --no-wait, or when it is to begin later, it only says that it is planned.

            Example: pagewright hosts upgrade --to 1.4.0
            Example: pagewright hosts upgrade --to 1.4.0 --at 2026-11-21T03:00:00Z
            """)

    private struct Plan: Encodable {
        let version: String
        let startsAt: String?
        let hosts: [String]?
    }

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "The version, as packages write it.") var to: String
    @Option(help: "When to begin, such as 2026-11-21T03:00:00Z; default: now.") var at: String?
    @Option(help: "Only this host; may be given more than once.") var host: [String] = []
    @Flag(help: "Do not wait for the end.") var noWait = false

    func run() async throws {
        try await connection.withClient { client in
            let plan = Plan(version: to, startsAt: at, hosts: host.isEmpty ? nil : host)
            var answer = try await client.send(.post, "/rollouts", body: .json(plan))
            var rollout: RolloutBody = try answer.decode()
            if !noWait, at == nil {
                var said = ""
                while !rollout.isOver {
                    try await Task.sleep(for: .seconds(1))
                    answer = try await client.send(.get, "/rollouts/\(rollout.id)")
                    rollout = try answer.decode()
                    let line = "\(rollout.healthy) of \(rollout.members.count) hosts have \(rollout.version)"
                    if line != said, !connection.json { Console.print(line) }
                    said = line
                }
            }
            if connection.json { Console.print(json: answer.body) } else { rollout.print() }
            if rollout.isOver, rollout.state != "succeeded" {
                throw CLIError(
                    .failed, "the roll-out was \(rollout.state)",
                    nextStep: "Look at the host with: pagewright-agent status, on it.")
            }
        }
    }
}

struct HostsRolloutsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollouts", abstract: "See and end roll-outs.",
        discussion: "Example: pagewright hosts rollouts",
        subcommands: [HostsRolloutsListCommand.self, HostsRolloutsCancelCommand.self],
        defaultSubcommand: HostsRolloutsListCommand.self)
}

struct HostsRolloutsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List roll-outs, newest first, or show one.",
        discussion: "Example: pagewright hosts rollouts list")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The id of a roll-out.") var rollout: String?

    func run() async throws {
        try await connection.withClient { client in
            if let rollout {
                let answer = try await client.send(.get, "/rollouts/\(rollout)")
                guard !connection.json else { return Console.print(json: answer.body) }
                return try (answer.decode() as RolloutBody).print()
            }
            let answer = try await client.send(.get, "/rollouts")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("ROLL-OUT", "VERSION", "STATE", "HEALTHY", "BEGINS", "REASON")
            for rollout in try answer.decode(ListBody<RolloutBody>.self).items {
                table.add(
                    rollout.id, rollout.version, rollout.state, "\(rollout.healthy) of \(rollout.members.count)",
                    rollout.startsAt, rollout.reason ?? "")
            }
            table.print(empty: "There was no roll-out yet: pagewright hosts upgrade --to VERSION")
        }
    }
}

struct HostsRolloutsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Begin no other host of a roll-out.",
        discussion: "Example: pagewright hosts rollouts cancel rollout_01jx…")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The id of a roll-out.") var rollout: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/rollouts/\(rollout)/cancel")
            guard !connection.json else { return Console.print(json: answer.body) }
            try (answer.decode() as RolloutBody).print()
        }
    }
}
