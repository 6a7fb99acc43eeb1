import AgentProtocol
package import BlockingIO
package import Domain
import Faults
import FleetIdentity
package import Logging
import ServiceLifecycle

/// The ends of attempts that the coordinator has not answered for, on disk. Each is sent on every session and every few
/// seconds until a verdict came; its lease is kept alive until then.
package actor CompletionSpool: CompletionSpooling, LeaseHolding, SessionParticipant, Service {
    private let folder: DurableFolder
    private let pool: BlockingPool
    private let interval: Duration
    private let logger: Logger
    private var pending: [String: JobCompletion]
    private var outbox: (any AgentOutbox)?

    /// Reads what an earlier run left in `directory`. What cannot be read is moved aside and logged.
    package init(
        directory: String, pool: BlockingPool, resendInterval: Duration = .seconds(10), logger: Logger
    ) async throws {
        let folder = DurableFolder(path: directory)
        let found = try await pool.run { try Self.load(from: folder) }
        for (name, error) in found.corrupt {
            logger.error(
                "Moved a damaged completion aside",
                metadata: ["file": "\(directory)/\(name).corrupt", "error": "\(error)"])
        }
        if !found.completions.isEmpty {
            logger.notice("Found completions to send", metadata: ["count": "\(found.completions.count)"])
        }
        self.folder = folder
        self.pool = pool
        self.logger = logger
        interval = resendInterval
        pending = found.completions
    }

    private struct Found: Sendable {
        var completions: [String: JobCompletion] = [:]
        var corrupt: [(name: String, error: ServiceError)] = []
    }

    private static func load(from folder: DurableFolder) throws -> Found {
        try folder.create()
        var found = Found()
        for name in try folder.names() where name.hasSuffix(".pb") {
            do throws(ServiceError) {
                let bytes = try folder.read(name, limit: BlobLimits.largestManifestMessage) ?? []
                let completion = try JobCompletion(serialized: bytes)
                guard Self.name(of: completion.lease) == name else {
                    throw ServiceError(.invalidArgument, "the file is about another attempt", field: "lease")
                }
                found.completions[name] = completion
            } catch {
                found.corrupt.append((name, error))
                try folder.move(name, to: name + ".corrupt")
            }
        }
        return found
    }

    private static func name(of lease: JobLease) -> String { "\(lease.job)-\(lease.attempt).pb" }

    package func submit(_ completion: JobCompletion) async throws {
        let name = Self.name(of: completion.lease)
        let bytes = try completion.serialized()
        try await pool.run { [folder] in try folder.write(bytes, to: name) }
        pending[name] = completion
        FaultPoint.completionSpooled.reach()
        outbox?.send(.complete(completion))
    }

    /// A result that was not answered for must not become stale while it waits.
    package func leases() -> [JobLease] { pending.values.map(\.lease) }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                while true {
                    try await Task.sleep(for: self.interval)
                    await self.sendAll()
                }
            } catch is CancellationError {}
        }
    }

    private func sendAll() {
        guard let outbox else { return }
        for (_, completion) in pending.sorted(by: { $0.key < $1.key }) where !outbox.send(.complete(completion)) {
            return
        }
    }

    // MARK: SessionParticipant

    package func describe(in hello: inout AgentMessage.Hello) {
        hello.leases += leases()
    }

    package func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) {
        self.outbox = outbox
        sendAll()
    }

    package func receive(_ message: CoordinatorMessage) async {
        guard case .verdict(let lease, let verdict) = message else { return }
        let name = Self.name(of: lease)
        guard pending[name]?.lease == lease else { return }
        pending[name] = nil
        logger.notice("Completion answered", metadata: ["job.id": "\(lease.job)", "verdict": "\(verdict.rawValue)"])
        do {
            try await pool.run { [folder] in try folder.remove(name) }
        } catch {
            // It is sent once more after a restart, and answered as a duplicate.
            logger.warning("Could not remove a completion", metadata: ["file": "\(name)", "error": "\(error)"])
        }
    }

    package func sessionClosed() {
        outbox = nil
    }

    package func report(in status: inout AgentStatus) {
        guard !pending.isEmpty, outbox == nil else { return }
        status.problems.append(
            .init(
                level: .degraded, message: "\(pending.count) finished jobs wait to be reported to the coordinator.",
                nextStep: "Nothing is lost: they are sent when the connection is back."))
    }
}
