import Foundation
import Subprocess
import SystemPackage

/// A coordinator and one agent on this machine, as `pagewright up` runs them.
///
/// The order is the whole of it: lock, ports, coordinator, invitation (first time only), agent, ready; and for the stop
/// the agent before the coordinator.
struct LocalSystem {
    struct Settings: Sendable {
        var state: StateDirectory
        var programs: String
        var port: Int
        var agentsPort: Int
        var sitesPort: Int
        var workerSlots: Int
        var agentOptions: [String]
    }

    /// What is running.
    struct Running: Sendable, Equatable {
        let api: String
        let sites: String
        let agents: String
        let state: String
        let processes: [String: Int32]

        var object: [String: Any] {
            ["api": api, "sites": sites, "agents": agents, "state": state, "pids": processes.mapValues(Int.init)]
        }
    }

    let settings: Settings
    /// How long a program may take to be ready, and to stop.
    let startPatience = Duration.seconds(60)
    let stopPatience = Duration.seconds(15)
    private static let coordinatorName = "pagewright-coordinator"
    private static let agentName = "pagewright-agent"

    /// Runs until Ctrl-C, SIGTERM or the death of a program; the last one throws.
    func run(ready: (Running) throws -> Void, note: @Sendable (String) -> Void) async throws {
        let state = settings.state
        try state.prepare()
        let lock = try state.lock()
        defer { close(lock) }
        let leftovers = try await state.endLeftovers(of: [Self.coordinatorName, Self.agentName])
        for leftover in leftovers { note("stopped a leftover of an earlier start: \(leftover)") }
        let ports = try (
            api: PortChoice.choose(settings.port, for: "API", option: "--port"),
            agents: PortChoice.choose(settings.agentsPort, for: "agents", option: "--agents-port"),
            sites: PortChoice.choose(settings.sitesPort, for: "sites", option: "--sites-port")
        )
        guard Set([ports.api, ports.agents, ports.sites]).count == 3 else {
            throw CLIError(.usage, "--port, --agents-port and --sites-port must differ")
        }
        let coordinator = SupervisedProgram(
            name: "coordinator", path: path(of: Self.coordinatorName),
            arguments: [
                "serve", "--state", state.coordinator, "--listen", "127.0.0.1", "--port", "\(ports.api)",
                "--agents-port", "\(ports.agents)", "--sites-domain", "localhost", "--sites-port", "\(ports.sites)",
            ], log: state.logs + "/coordinator.log")
        let agent = SupervisedProgram(
            name: "agent", path: path(of: Self.agentName),
            arguments: [
                "run", "--state", state.agent, "--coordinator", "127.0.0.1:\(ports.agents)",
                "--worker-slots", "\(settings.workerSlots)", "--end-jobs-on-stop", "--sites-listen",
                "127.0.0.1:\(ports.sites)",
            ] + settings.agentOptions, log: state.logs + "/agent.log")
        let signals = InterruptSignal([SIGINT, SIGTERM, SIGHUP])
        defer { signals.stop() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var supervision = Supervision(state: state)
            group.addTask { [events = supervision.continuation] in
                await signals.wait()
                events.yield(.interrupted)
            }
            func start(_ program: SupervisedProgram) {
                supervision.running.append(program)
                group.addTask { [events = supervision.continuation, stopPatience] in
                    await program.run(patience: stopPatience, reportingTo: events)
                }
            }
            func deadline(_ name: String) {
                group.addTask { [events = supervision.continuation, startPatience] in
                    try await Task.sleep(for: startPatience)
                    events.yield(.deadline(name))
                }
            }
            do {
                start(coordinator)
                deadline(coordinator.name)
                let addresses = try await supervision.untilReady(coordinator, as: CoordinatorReady.self)
                if !hasJoined(state) {
                    try await join(agentsPort: ports.agents, log: agent.log)
                }
                start(agent)
                deadline(agent.name)
                let served = try await supervision.untilReady(agent, as: AgentReady.self)
                var processes = supervision.processes
                if let nginx = served.nginxPid { processes["nginx"] = nginx }
                try ready(
                    Running(
                        api: addresses.api, sites: served.sites, agents: addresses.agents, state: state.path,
                        processes: processes))
                try await supervision.untilOver()
            } catch {
                note("stopping")
                await supervision.stopAll()
                group.cancelAll()
                if error is Supervision.Interrupted { return }
                throw error
            }
        }
    }

    private struct CoordinatorReady: Decodable {
        let event: String
        let api: String
        let agents: String
    }

    private struct AgentReady: Decodable {
        let event: String
        let sites: String
        let nginxPid: Int32?
    }

    private func path(of program: String) -> String { settings.programs + "/" + program }

    private func hasJoined(_ state: StateDirectory) -> Bool {
        FileManager.default.fileExists(atPath: state.agent + "/identity/current")
    }

    /// Invites this machine and lets the agent answer, as an operator would for any other.
    private func join(agentsPort: Int, log: String) async throws {
        struct Invitation: Decodable { let token: String }
        let output = try await output(
            of: Self.coordinatorName,
            ["invite", "--state", settings.state.coordinator, "--roles", "worker,serving", "--json"], log: log)
        guard let invitation = try? APIResponse.decoder().decode(Invitation.self, from: Data(output.utf8)) else {
            throw CLIError(.failed, "the coordinator gave no invitation: \(output)")
        }
        _ = try await self.output(
            of: Self.agentName,
            [
                "join", "--coordinator", "127.0.0.1:\(agentsPort)", "--token", invitation.token, "--state",
                settings.state.agent, "--name", "local",
            ], log: log)
    }

    /// Runs a program to its end and returns what it printed.
    private func output(of program: String, _ arguments: [String], log: String) async throws -> String {
        let errors = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .append, .closeOnExec], permissions: .ownerReadWrite)
        let result = try await Subprocess.run(
            .path(FilePath(path(of: program))), arguments: Arguments(arguments), output: .string(limit: 1 << 16),
            error: .fileDescriptor(errors, closeAfterSpawningProcess: true))
        guard result.terminationStatus.isSuccess else {
            throw CLIError(
                .failed,
                "`\(program) \(arguments.first ?? "")` failed:\n"
                    + settings.state.tail(of: log).map { "    " + $0 }.joined(separator: "\n"),
                nextStep: "Read \(log).")
        }
        return result.standardOutput
    }
}
