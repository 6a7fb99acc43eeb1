import Domain
import Faults
import Logging

/// One open session: what one agent says, and what it is told. Frames are handled one after the other.
struct AgentSession: Sendable {
    /// How often a host is told again what it has not answered for; pushes are not needed for correctness.
    private static let resyncInterval = Duration.seconds(30)
    /// A job that a host would not take is offered again after this, so that the two do not go round in circles.
    private static let delayAfterRejection = Duration.seconds(1)
    /// For how long it is not asked again, for a credit alone, whether this session is the newest.
    private static let creditTrust = Duration.milliseconds(250)

    let host: HostID
    let epoch: Int64
    let outbox: SessionOutbox
    let liveness: SessionLiveness
    let registry: SessionRegistry
    let workers: WorkerPool
    let dispatcher: JobDispatcher
    let ledger: JobLedger
    let generations: GenerationLedger
    let completions: JobCompletions
    let desiredState: DesiredState
    let recovery: RecoveryService
    let words: HostWords
    /// Asks the database whether this session is its host's newest, on whatever coordinator, and the host a member.
    let isNewest: @Sendable () async throws -> Bool
    /// Why it is not: what the agent is told when it has to go.
    let reasonToGo: @Sendable () async -> String
    let logger: Logger
    /// When it was last seen that this session is the newest.
    let newest = LastSight()

    func receive(_ message: AgentMessage) async throws {
        liveness.touch()
        do {
            // A late hello can make the session of the living agent the older one: it is told, and comes back.
            switch message {
            // The transactions of these look for themselves.
            case .accept, .complete: break
            // Decides nothing that is kept, and comes after every job.
            case .credit where newest.wasSeen(within: Self.creditTrust): break
            default:
                guard try await isNewest() else { throw SupersededSession() }
                newest.note()
            }
            try await handle(message)
        } catch is SupersededSession {
            outbox.send(.goAway(reason: await reasonToGo(), delay: .zero))
            outbox.close()
        }
    }

    private func handle(_ message: AgentMessage) async throws {
        switch message {
        case .hello:
            throw ServiceError(.invalidArgument, "a session has one hello", field: "hello", rule: "session-hello")
        case .heartbeat(let leases, let free, let total):
            registry.setDisk(host, epoch: epoch, free: free, total: total)
            let (renewed, lost) = try await ledger.renew(leases, from: host)
            workers.noteHeld(renewed, by: host, epoch: epoch)
            outbox.send(.renewed(renewed))
            for lease in lost { outbox.send(.leaseLost(lease)) }
        case .credit(let slots):
            workers.setSlots(slots, of: host, epoch: epoch)
        case .accept(let lease):
            dispatcher.offerAnswered(lease)
            if try await ledger.accept(lease, from: host, in: epoch) {
                workers.noteStart(of: lease, by: host)
            } else {
                outbox.send(.leaseLost(lease))
            }
            newest.note()
        case .reject(let lease, _):
            dispatcher.offerAnswered(lease)
            try await ledger.handBack(lease, from: host, delay: Self.delayAfterRejection)
        case .progress(let lease, let step, let percent):
            try await ledger.report(lease, step: step, percent: percent, from: host)
        case .step(let lease, let step):
            try await generations.note(step, under: lease, from: host)
        case .log(let lease, let text, let droppedBytes):
            try await ledger.appendLog(text, droppedBytes: droppedBytes, lease: lease, from: host)
        case .complete(let completion):
            // It stays with the host, which sends it again until it gets a verdict.
            guard !recovery.isActive else { return }
            let verdict = try await completions.complete(completion, from: host, in: epoch)
            newest.note()
            workers.noteEnd(of: completion.lease, by: host)
            outbox.send(.verdict(completion.lease, verdict))
        case .siteStatus(let status):
            try await desiredState.record(status, from: host)
        case .condition(let condition):
            try await words.note(condition, of: host, epoch: epoch)
        case .upgradeReport(let report):
            try await words.note(report, of: host)
        }
    }

    /// Tells the host everything once, then what changes.
    func pushDesiredState(waking changes: AsyncStream<Void>) async throws {
        var sent: [SiteID: Int64] = [:]
        // A snapshot that cannot be had ends the session: the host asks again with its next one.
        var part: DesiredState.SnapshotPart?
        repeat {
            let next = try await desiredState.snapshot(of: host, after: part)
            for site in next.sites { sent[site.site] = site.generation }
            try await outbox.send(desired: next.sites, .snapshot(index: next.index, isLast: next.isLast))
            part = next
        } while part?.isLast == false
        let wakeUps = WakeUpsOrTime(changes: changes, interval: Self.resyncInterval)
        try await wakeUps.forEach { reason in
            if reason == .time { sent = [:] }
            do {
                while true {
                    let delta = try await desiredState.delta(for: host, sent: sent)
                    guard !delta.isEmpty else { return }
                    for site in delta { sent[site.site] = site.generation }
                    try await outbox.send(desired: delta, .change)
                    FaultPoint.desiredStateSent.reach()
                }
            } catch let error where !(error is CancellationError) {
                // The next wake-up or the next interval tries again.
                logger.error(
                    "Could not read what a host is to serve", metadata: ["host.id": "\(host)", "error": "\(error)"])
            }
        }
    }
}
