import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A coordinator and an agent of both roles on free ports, started as programs, that can die and be started again.
final class TestSystem {
    let folder: String
    /// Where the coordinator keeps the truth; SQLite in its folder when `nil`.
    private let database: String?
    private let apiPort: Int
    private let agentsPort: Int
    private let sitesPort: Int
    private(set) var coordinator: RunningProgram?
    private(set) var agent: RunningProgram?

    /// What the coordinator finds in its environment, besides ours.
    private let coordinatorEnvironment: [String: String]

    init(folder: String, database: String? = nil, environment: [String: String] = [:]) throws {
        self.folder = folder
        coordinatorEnvironment = environment
        self.database = database
        let ports = try freePorts(3)
        (apiPort, agentsPort, sitesPort) = (ports[0], ports[1], ports[2])
    }

    var api: String { "http://127.0.0.1:\(apiPort)" }
    /// Where agents connect.
    var agents: String { "127.0.0.1:\(agentsPort)" }

    func startCoordinator(fault: String? = nil, options: [String] = []) throws {
        coordinator = try RunningProgram(
            "pagewright-coordinator",
            [
                "serve", "--state", folder + "/c", "--port", "\(apiPort)", "--agents-port", "\(agentsPort)",
                "--sites-port", "\(sitesPort)",
            ] + databaseArguments + options, fault: fault, environment: coordinatorEnvironment,
            log: folder + "/coordinator.log")
    }

    /// Without a browser unless `options` name one: looking at pages would slow everything else down.
    func startAgent(fault: String? = nil, options: [String] = []) throws {
        agent = try RunningProgram(
            "pagewright-agent",
            ["run"] + runOptions + (options.contains("--browser") ? [] : ["--browser", "off"]) + options, fault: fault,
            log: folder + "/agent.log")
    }

    /// What `pagewright-agent run` is given on this host.
    var runOptions: [String] { runOptions(state: folder + "/a") }

    /// The same for another host of this fleet.
    func runOptions(state: String) -> [String] {
        ["--state", state, "--coordinator", agents, "--sites-listen", "127.0.0.1:\(sitesPort)"]
    }

    /// Makes another host a member, with these roles.
    func join(as roles: [String], state: String, by client: APIClient) async throws {
        let invitation = try await client.send(
            "POST", "/api/v1/hosts/invitations", ["roles": roles], expecting: [201])
        let token = try #require(invitation["token"] as? String)
        let joined = try await Tool.run(
            "pagewright-agent",
            ["join", "--coordinator", agents, "--token", token, "--state", state], in: folder)
        try #require(joined.status == 0, "\(joined)")
    }

    /// Makes the agent a member. The coordinator must answer already.
    func join() async throws {
        let invitation = try RunningProgram(
            "pagewright-coordinator", ["invite", "--state", folder + "/c", "--json"] + databaseArguments,
            environment: coordinatorEnvironment, log: folder + "/invite.log")
        try await invitation.wait()
        let line = try JSONSerialization.jsonObject(with: Data(invitation.output.utf8)) as? [String: Any]
        let token = try #require(line?["token"] as? String)
        let join = try RunningProgram(
            "pagewright-agent",
            ["join", "--coordinator", agents, "--token", token, "--state", folder + "/a"],
            log: folder + "/join.log")
        try await join.wait()
        try #require(join.process.terminationStatus == 0, "\(join.output)")
    }

    private var databaseArguments: [String] { database.map { ["--database", $0] } ?? [] }

    func stop() {
        agent?.stop()
        coordinator?.stop()
    }

    /// What a visitor of `name` gets now: the status and the body; `nil` when nobody answers.
    func visit(_ name: String) async -> (status: Int, body: String)? {
        var request = URLRequest(url: URL(string: "http://127.0.0.1:\(sitesPort)/")!, timeoutInterval: 5)
        request.setValue(name, forHTTPHeaderField: "Host")
        guard let (data, response) = try? await URLSession.shared.data(for: request),
            let status = (response as? HTTPURLResponse)?.statusCode
        else { return nil }
        return (status, String(decoding: data, as: UTF8.self))
    }

    /// Waits for something to become true, and brings back to life whoever died meanwhile.
    func until(_ what: String, _ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while try await !holds() {
            try reviveTheDead()
            guard ContinuousClock.now < deadline else {
                Issue.record("waited too long for: \(what)\n\(tail(coordinator))\n\(tail(agent))")
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Starts again what killed itself; it does not do that twice.
    func reviveTheDead() throws {
        if let coordinator, coordinator.diedAtItsStep {
            deaths += 1
            try startCoordinator()
        }
        if let agent, agent.diedAtItsStep {
            deaths += 1
            try startAgent()
        }
    }

    private(set) var deaths = 0

    private func tail(_ program: RunningProgram?) -> String {
        (program?.output ?? "").split(separator: "\n").suffix(15).joined(separator: "\n")
    }
}
