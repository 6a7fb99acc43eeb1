import AgentProtocol
import BlockingIO
import Domain
import FleetIdentity
import GRPCCore
import Logging

/// One session, from the first frame to the last.
struct AgentSession: Sendable {
    enum End: Sendable {
        case goAway(reason: String, delay: Duration)
        /// A new certificate is to be used.
        case renewed
        case failed(ServiceError)

        /// Whether this side or the other heard nothing for too long.
        var isSilence: Bool {
            guard case .failed(let error) = self else { return false }
            return error.rule == SilenceWatch.rule || error.rule == SilenceWatch.ruleOfCoordinator
        }
    }

    let identity: AgentIdentity
    let connection: CoordinatorConnection
    let participants: [any SessionParticipant]
    let leaseHolders: [any LeaseHolding]
    let contact: CoordinatorContact
    let facts: AgentFacts
    let drain: LocalDrain?
    let pool: BlockingPool
    let timing: SessionTiming
    /// The coordinator that it is with, for the log.
    let address: CoordinatorAddress
    let logger: Logger

    /// Returns when the session is over, or `replacements` says that there is a new certificate.
    func run(until replacements: AsyncStream<Void>) async -> End {
        do {
            return try await connection.withChannel(for: .session) { channel in
                let outbox = SessionOutbox()
                let gate = drain.map { CreditGate(outbox, drain: $0) }
                let watch = SilenceWatch("the coordinator")
                let (welcomes, welcomed) = AsyncStream<Duration>.makeStream(bufferingPolicy: .bufferingNewest(1))
                let hello = await hello()
                return try await withThrowingTaskGroup(of: End.self) { group in
                    // The first of these to end ends the session.
                    group.addTask {
                        try await Pagewright_Agent_V1_Session.Client(wrapping: channel.client).open(
                            options: Self.options
                        ) { writer in
                            try await talk(hello: hello, from: outbox, to: writer)
                        } onResponse: { response in
                            try await listen(to: response, outbox: outbox, gate: gate, watch: watch, welcomed: welcomed)
                        }
                    }
                    if let gate, let drain {
                        let changes = drain.changes()
                        group.addTask {
                            for await _ in changes { gate.renew() }
                            throw CancellationError()
                        }
                    }
                    group.addTask { try await beat(welcomes, into: outbox, watch: watch) }
                    group.addTask {
                        for await _ in replacements { return .renewed }
                        throw CancellationError()
                    }
                    defer {
                        outbox.close()
                        group.cancelAll()
                    }
                    return try await group.next()!
                }
            }
        } catch let error as ServiceError {
            return .failed(error)
        } catch {
            return .failed(ServiceError(.unavailable, "the session ended", cause: error))
        }
    }

    private static var options: CallOptions {
        var options = CallOptions.defaults
        // The first frame of a serving host's session lists all of its sites.
        options.maxResponseMessageBytes = BlobLimits.largestManifestMessage
        return options
    }

    private func hello() async -> AgentMessage.Hello {
        let bootID = try? await pool.run {
            try DurableFolder(path: "/proc/sys/kernel/random").read("boot_id") ?? []
        }
        var hello = AgentMessage.Hello(
            agentVersion: facts.version, roles: identity.roles,
            bootID: String(decoding: (bootID ?? []).prefix { $0 > 0x20 }, as: UTF8.self), leases: [], inventory: [],
            engines: [])
        hello.instance = facts.instance
        for participant in participants { await participant.describe(in: &hello) }
        var seen: Set<JobLease> = []
        hello.leases = hello.leases.filter { seen.insert($0).inserted }
        return hello
    }

    // MARK: What we say

    private func talk(
        hello: AgentMessage.Hello, from outbox: SessionOutbox, to writer: RPCWriter<Pagewright_Agent_V1_AgentFrame>
    ) async throws {
        try await writer.write(AgentMessage.hello(hello).wire)
        while let outgoing = await outbox.next() {
            switch outgoing {
            case .message(let message): try await writer.write(message.wire)
            case .heartbeat: try await writer.write(await heartbeat().wire)
            }
        }
        if outbox.hasOverflowed {
            throw ServiceError(
                .unavailable, "more than \(SessionOutbox.limit) frames waited for the coordinator",
                rule: "session-backlog")
        }
    }

    private func heartbeat() async -> AgentMessage {
        let disk = try? await DiskSpace.measure(at: facts.stateDirectory, on: pool)
        var leases: Set<JobLease> = []
        for holder in leaseHolders { leases.formUnion(await holder.leases()) }
        return .heartbeat(
            leases: leases.sorted { $0.job < $1.job }, diskFreeBytes: disk?.freeBytes ?? 0,
            diskTotalBytes: disk?.totalBytes ?? 0)
    }

    /// From the Welcome on: heartbeats, spread so that hosts do not beat as one, and a watch for their answers.
    private func beat(
        _ welcomes: AsyncStream<Duration>, into outbox: SessionOutbox, watch: SilenceWatch
    ) async throws -> End {
        let interval = try await opened(welcomes)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.wait(limit: interval * 3) }
            group.addTask {
                while true {
                    try await Task.sleep(for: interval * Double.random(in: 0.8...1.2))
                    outbox.requestHeartbeat()
                }
            }
            defer { group.cancelAll() }
            try await group.next()
            throw CancellationError()
        }
    }

    /// Waits for the Welcome, and not for ever.
    private func opened(_ welcomes: AsyncStream<Duration>) async throws -> Duration {
        try await withThrowingTaskGroup(of: Duration.self) { [timing] group in
            group.addTask {
                for await interval in welcomes { return interval }
                throw CancellationError()
            }
            group.addTask {
                try await Task.sleep(for: timing.opening)
                throw SilenceWatch.silence(of: "the coordinator", for: timing.opening)
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    // MARK: What we hear

    private func listen(
        to response: StreamingClientResponse<Pagewright_Agent_V1_CoordinatorFrame>, outbox: SessionOutbox,
        gate: CreditGate?, watch: SilenceWatch, welcomed: AsyncStream<Duration>.Continuation
    ) async throws -> End {
        var isOpen = false
        do {
            for try await frame in response.messages {
                watch.heard()
                contact.heard()
                guard frame.frame != nil else {
                    logger.debug("Passed over a frame of a newer coordinator")
                    continue
                }
                let message = try CoordinatorMessage(wire: frame)
                switch message {
                case .welcome(let welcome):
                    guard !isOpen else { throw Self.disorder("a second welcome") }
                    isOpen = true
                    contact.opened(epoch: welcome.sessionEpoch)
                    logger.notice(
                        "Opened session",
                        metadata: [
                            "host.id": "\(identity.host)", "session.epoch": "\(welcome.sessionEpoch)",
                            "coordinator": "\(address)",
                        ])
                    let place: any AgentOutbox = if let gate { gate } else { outbox }
                    for participant in participants { await participant.sessionOpened(welcome, outbox: place) }
                    welcomed.yield(welcome.heartbeatInterval)
                case .goAway(let reason, let delay):
                    await close(isOpen)
                    return .goAway(reason: reason, delay: delay)
                default:
                    guard isOpen else { throw Self.disorder("a frame before the welcome") }
                    for participant in participants { await participant.receive(message) }
                }
            }
        } catch {
            await close(isOpen)
            throw error
        }
        await close(isOpen)
        throw ServiceError(.unavailable, "the coordinator closed the session")
    }

    private func close(_ isOpen: Bool) async {
        guard isOpen else { return }
        for participant in participants { await participant.sessionClosed() }
    }

    private static func disorder(_ what: String) -> ServiceError {
        ServiceError(.invalidArgument, "the coordinator sent \(what)", rule: "session-order")
    }
}
