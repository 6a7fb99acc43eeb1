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
        // The gate of the coordinator and ours may close at the same time; the lock puts one after the other.
        let lock = try await pool.run { [state] in try UpgradeLock(path: state.upgradeLock, seconds: 900) }
        defer { lock.release() }
        var limits = UpgradeSupervisor.Limits()
        limits.gate = .seconds(gateSeconds)
        limits.commandInSeconds = commandSeconds
        let result = try await UpgradeSupervisor(state: state, command: command, limits: limits, pool: pool)
            .carryOut(order: order, from: from, to: to)
        try await pool.run { [state] in try result.save(to: state) }
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
