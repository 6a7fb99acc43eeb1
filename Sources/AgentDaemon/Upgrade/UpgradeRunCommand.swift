import AgentCore
import ArgumentParser
import BlockingIO
import Domain
import Glibc

/// Carries out one order: installs, watches the new version come up, and goes back when it does not. It is a process of
/// its own, because the agent itself is replaced meanwhile.
struct UpgradeRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade-run", abstract: "Carry out an order to upgrade; started by the agent.",
        shouldDisplay: false)

    @Option var state = StateFolder.standard
    @Option var command: String
    @Option var order: String
    @Option var from: String
    @Option var to: String
    /// How long the new version may take to be connected and well.
    @Option var gateSeconds = 120
    /// How long the command may take.
    @Option var commandSeconds = 600

    func run() async throws {
        // Ours to the end, whatever the service manager tells the agent.
        signal(SIGTERM, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        let pool = BlockingPool(label: "pagewright.upgrade", width: 1)
        let lock = try await pool.run { [state] in try UpgradeLock(path: state.upgradeLock, seconds: 900) }
        defer { lock.release() }
        var record = UpgradeRecord(order: order, from: from, to: to, outcome: "begun", detail: "")
        let problem = try await install(to, pool: pool)
        if problem == nil {
            record.outcome = UpgradeReport.Outcome.done.rawValue
        } else {
            record.detail = problem ?? ""
            // The gate of the coordinator and ours may close at the same time; the lock puts one after the other.
            let worse = try await install(from, pool: pool)
            record.outcome = (worse == nil ? UpgradeReport.Outcome.reverted : .failed).rawValue
            if let worse { record.detail += " And the version before did not come back: \(worse)" }
        }
        let result = record
        try await pool.run { [state] in try result.save(to: state) }
    }

    /// Brings a version and waits until it is well; otherwise says why not.
    private func install(_ version: String, pool: BlockingPool) async throws -> String? {
        let code = try await pool.run { [command, state, commandSeconds] () throws -> Int32 in
            try DetachedProgram.run(
                command, arguments: [version], log: state.upgradeLog, seconds: commandSeconds)
        }
        guard code == 0 else { return "The command to install \(version) ended with \(code); see \(state.upgradeLog)." }
        let client = StatusClient(path: state.socket)
        let deadline = ContinuousClock.now + .seconds(gateSeconds)
        var seen = "The agent does not answer."
        while ContinuousClock.now < deadline {
            if let status = try? await client.status() {
                let problem = status.problems.first { $0.level == .bad }
                if status.version != version {
                    seen = "The agent that answers has version \(status.version)."
                } else if let problem {
                    seen = problem.message
                } else if !status.isConnected {
                    seen = "The agent has no session with the coordinator."
                } else {
                    return nil
                }
            } else {
                seen = "The agent does not answer."
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        return "Version \(version) was not well within \(gateSeconds) s. \(seen)"
    }
}

/// One order at a time.
struct UpgradeLock: Sendable {
    private let descriptor: Int32

    /// Waits for at most so many seconds. Blocks.
    init(path: String, seconds: Int) throws(ServiceError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ServiceError(.failedPrecondition, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        for _ in 0..<(seconds * 10) {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            usleep(100_000)
        }
        close(descriptor)
        throw ServiceError(.unavailable, "another upgrade of this host does not come to an end", rule: "upgrade-busy")
    }

    func release() { close(descriptor) }
}
