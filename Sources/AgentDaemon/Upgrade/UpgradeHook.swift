import AgentCore
import BlockingIO
import Domain
import Glibc
import Logging
import ServiceLifecycle
import Synchronization

/// Carries out orders to run another version: starts the command that the operator configured, and says what became of it.
final class UpgradeHook: SessionParticipant, Service {
    private static let interval = Duration.seconds(2)

    private struct State {
        var outbox: (any AgentOutbox)?
        /// What was said on this session.
        var said: UpgradeReport?
        var isBusy = false
    }

    private let state: StateFolder
    /// Gets the version as its only argument; `nil` when this host does not upgrade itself.
    private let command: String?
    /// How long the new version may take to be well, in seconds.
    private let gate: Int
    private let version: String
    private let pool: BlockingPool
    private let logger: Logger
    private let session = Mutex(State())
    private let orders: AsyncStream<UpgradeOrder>
    private let ordering: AsyncStream<UpgradeOrder>.Continuation

    init(
        state: StateFolder, command: String?, gate: Int, version: String, pool: BlockingPool, logger: Logger
    ) {
        self.state = state
        self.command = command
        self.gate = gate
        self.version = version
        self.pool = pool
        self.logger = logger
        (orders, ordering) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4))
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await order in self.orders {
                        do {
                            try await self.carryOut(order)
                        } catch {
                            self.logger.error("Could not begin an upgrade", metadata: ["error": "\(error)"])
                            self.say(
                                UpgradeReport(
                                    order: order.id, outcome: .failed,
                                    detail: (error as? ServiceError)?.message ?? "It could not be begun."))
                        }
                    }
                }
                group.addTask { await self.watch() }
            }
        }
    }

    /// Tells what the program that carries out an order has written down.
    private func watch() async {
        while !Task.isCancelled {
            if session.withLock({ $0.outbox != nil }),
                let record = try? await pool.run({ [state] in UpgradeRecord.load(from: state) })
            {
                say(record.report)
            }
            // Children that ended are not to stay as zombies; others of ours are waited for by their own parts.
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func say(_ report: UpgradeReport) {
        let outbox = session.withLock { session -> (any AgentOutbox)? in
            guard session.said != report else { return nil }
            session.said = session.outbox == nil ? nil : report
            return session.outbox
        }
        outbox?.send(.upgradeReport(report))
    }

    private func carryOut(_ order: UpgradeOrder) async throws {
        if order.version.text == version {
            return say(UpgradeReport(order: order.id, outcome: .done))
        }
        let state = state
        if let known = try await pool.run({ UpgradeRecord.load(from: state) }), known.order == order.id {
            return say(known.report)
        }
        guard let command else {
            return say(
                UpgradeReport(
                    order: order.id, outcome: .failed,
                    detail: "This host has no command for upgrades; give its agent --upgrade-command."))
        }
        let record = UpgradeRecord(
            order: order.id, from: version, to: order.version.text,
            outcome: UpgradeReport.Outcome.begun.rawValue, detail: "")
        let process = try await pool.run { [version, gate] in
            guard access(command, X_OK) == 0 else {
                throw ServiceError(
                    .failedPrecondition, "\(command) cannot be run", rule: "upgrade-command",
                    nextStep: "Correct --upgrade-command of this host's agent.")
            }
            try record.save(to: state)
            return try DetachedProgram.start(
                try Self.ownProgram(),
                arguments: [
                    "upgrade-run", "--state", state.path, "--command", command, "--order", order.id, "--from", version,
                    "--to", order.version.text, "--gate-seconds", String(gate),
                ], log: state.upgradeLog)
        }
        say(record.report)
        logger.notice(
            "Began an upgrade",
            metadata: ["version": "\(order.version)", "process": "\(process)", "from": "\(version)"])
        // Mostly the agent is replaced long before.
        while try await pool.run({ () -> Bool in
            var status: Int32 = 0
            return waitpid(process, &status, WNOHANG) == 0
        }) {
            try await Task.sleep(for: Self.interval)
        }
    }

    private static func ownProgram() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { throw ServiceError(.internalError, "the agent cannot find its own program") }
        return String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    // MARK: The session

    func describe(in hello: inout AgentMessage.Hello) async {}

    func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async {
        guard welcome.features.contains("condition") else { return }
        session.withLock {
            $0.outbox = outbox
            $0.said = nil
        }
    }

    func receive(_ message: CoordinatorMessage) async {
        if case .upgrade(let order) = message { ordering.yield(order) }
    }

    func sessionClosed() async {
        session.withLock {
            $0.outbox = nil
            $0.said = nil
        }
    }

    func report(in status: inout AgentStatus) async {}
}
