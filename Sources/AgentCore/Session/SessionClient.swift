package import BlockingIO
import Domain
package import Logging
import ServiceLifecycle

/// Keeps a session with the coordinator, for as long as the agent runs: opens one, and another when it ends.
///
/// Nothing here is needed to serve sites: a host whose coordinator is gone goes on with what it has.
package struct SessionClient: Service {
    private let identity: AgentIdentityHolder
    private let connection: CoordinatorConnection
    private let participants: [any SessionParticipant]
    private let leaseHolders: [any LeaseHolding]
    private let contact: CoordinatorContact
    private let facts: AgentFacts
    private let drain: LocalDrain?
    private let pool: BlockingPool
    private let timing: SessionTiming
    private let logger: Logger

    /// `participants` see every frame in this order; all `leaseHolders` are asked before each heartbeat.
    package init(
        identity: AgentIdentityHolder, connection: CoordinatorConnection, participants: [any SessionParticipant],
        leaseHolders: [any LeaseHolding], contact: CoordinatorContact, facts: AgentFacts,
        drain: LocalDrain? = nil, pool: BlockingPool, timing: SessionTiming = .standard, logger: Logger
    ) {
        self.identity = identity
        self.connection = connection
        self.participants = participants
        self.leaseHolders = leaseHolders
        self.contact = contact
        self.facts = facts
        self.drain = drain
        self.pool = pool
        self.timing = timing
        self.logger = logger
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await keepSession()
            } catch is CancellationError {}
        }
        contact.closed(because: nil)
    }

    private func keepSession() async throws {
        let delays = ReconnectDelay(first: timing.firstDelay, last: timing.lastDelay)
        var count = FailureCount()
        while true {
            try Task.checkCancellation()
            let replacements = identity.replacements()
            let started = ContinuousClock.now
            let address = connection.addresses.current
            let end = await AgentSession(
                identity: identity.current, connection: connection, participants: participants,
                leaseHolders: leaseHolders, contact: contact, facts: facts, drain: drain, pool: pool, timing: timing,
                address: address,
                logger: logger
            ).run(until: replacements)
            try Task.checkCancellation()
            count.note(
                lasting: ContinuousClock.now - started, stable: timing.stable, wasOpen: contact.facts.isConnected,
                wasSilent: end.isSilence)
            let failures = count.failures
            switch end {
            case .renewed:
                // The new certificate counts from the next connection on.
                count.reset()
                logger.notice("Reconnecting with the new certificate")
            case .goAway(let reason, let delay):
                // It is about to stop; another one, if there is any, is there already.
                connection.addresses.leave(address)
                contact.closed(because: ServiceError(.unavailable, "the coordinator ended the session: \(reason)"))
                let wait = max(delay, delays.delay(afterFailures: failures))
                logger.notice(
                    "The coordinator ended the session",
                    metadata: ["reason": "\(reason)", "wait": "\(wait.wholeMilliseconds) ms"])
                try await pause(wait)
            case .failed(let error):
                connection.addresses.leave(address)
                contact.closed(because: error)
                let wait = delays.delay(afterFailures: failures)
                logger.warning(
                    "No session with the coordinator",
                    metadata: ["error": "\(error)", "wait": "\(wait.wholeMilliseconds) ms", "failures": "\(failures)"])
                try await pause(wait)
            }
        }
    }

    /// Waits; a new certificate may be what was missing, so it ends the wait.
    private func pause(_ duration: Duration) async throws {
        let replacements = identity.replacements()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await Task.sleep(for: duration) }
            group.addTask { for await _ in replacements { return } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// What an agent says of itself.
package struct AgentFacts: Sendable {
    package let version: String
    /// The folder with the agent's state; the room on its disk is told with each heartbeat.
    package let stateDirectory: String
    /// Chosen anew by each start: two programs with one certificate are told apart by it.
    package let instance: String

    package init(version: String, stateDirectory: String) {
        instance = Hexadecimal.text(of: (0..<16).map { _ in UInt8.random(in: .min ... .max) })
        self.version = version
        self.stateDirectory = stateDirectory
    }
}
