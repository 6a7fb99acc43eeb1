import BlockingIO
import Database
import Logging
import Synchronization

/// The open connections of one kind: at most so many, the one used last first, each to one caller at a time.
///
/// Callers wait in line, at most so many and for so long. A connection that broke is thrown away; when the server is
/// away, one caller at a time tries to reach it, with growing pauses.
final class PostgresPool: Sendable {
    private enum Grant: Sendable {
        case connection(PostgresConnection, age: Int)
        /// There is room for one more, which the receiver opens.
        case room
    }

    private struct Waiter {
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Grant, any Error>
    }

    private struct Absence {
        let error: SQLError
        var nextTry: ContinuousClock.Instant
        var pause: Duration
    }

    private struct State {
        var idle: [(connection: PostgresConnection, since: ContinuousClock.Instant, age: Int)] = []
        /// Open, being opened, or promised to somebody who will open it.
        var open = 0
        var line: [UInt64] = []
        var waiters: [UInt64: Waiter] = [:]
        var nextTicket: UInt64 = 0
        var absence: Absence?
        /// Connections of an earlier age are not used again.
        var age = 0
    }

    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(5)
    private static let pingTimeout = Duration.seconds(2)

    private let settings: PostgresSettings
    private let role: PostgresRole
    private let limit: Int
    private let readiness: SocketReadiness
    private let blocking: BlockingPool
    private let logger: Logger
    private let metrics: PoolMetrics
    private let state = Mutex(State())

    init(
        _ settings: PostgresSettings, role: PostgresRole, limit: Int, readiness: SocketReadiness,
        blocking: BlockingPool, logger: Logger
    ) {
        precondition(limit > 0, "a pool has a connection")
        self.settings = settings
        self.role = role
        self.limit = limit
        self.readiness = readiness
        self.blocking = blocking
        self.logger = logger
        metrics = PoolMetrics(role)
        // One look at the clock for all who wait; a timer for each would cost more than most waits.
        readiness.onTick { [weak self] now in
            guard let self else { return false }
            expire(at: now)
            return true
        }
    }

    /// Says how many connections are open, how many of them nobody uses, and how many callers wait.
    private func publish() {
        metrics.publish(state.withLock { ($0.open, $0.idle.count, $0.waiters.count) })
    }

    /// Hands a working connection to `body` and takes it back. One that `body` left broken is thrown away.
    func withConnection<Value: Sendable>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let began = ContinuousClock.now
        let (connection, age) = try await acquire()
        metrics.noteWait(.now - began)
        publish()
        defer {
            release(connection, age: age)
            publish()
        }
        return try await body(connection)
    }

    /// No connection that is open now is used for another transaction: its prepared statements are stale.
    func renewAll() {
        let old = state.withLock { state in
            state.age += 1
            defer { state.idle = [] }
            state.open -= state.idle.count
            return state.idle
        }
        for _ in old { handOver(nil) }
    }

    private func acquire() async throws -> (PostgresConnection, Int) {
        let deadline = ContinuousClock.now + settings.waitingTimeout
        let patience = ContinuousClock.now + settings.absencePatience
        while true {
            switch try await grant(until: deadline) {
            case .connection(let connection, let age):
                if connection.looksAlive(), !connection.isReadOnly || !role.writes { return (connection, age) }
                discard(connection)
            case .room:
                if let opened = try await open(patience: patience) { return opened }
            }
        }
    }

    /// An idle connection, room for a new one, or a place in the line.
    private func grant(until deadline: ContinuousClock.Instant) async throws -> Grant {
        while true {
            let idle = state.withLock { state in state.idle.popLast() }
            guard let idle else { break }
            guard idle.since.advanced(by: settings.idleCheckAfter) < .now else {
                return .connection(idle.connection, age: idle.age)
            }
            if await idle.connection.ping(within: Self.pingTimeout) {
                return .connection(idle.connection, age: idle.age)
            }
            discard(idle.connection)
        }
        let ticket = try state.withLock { state throws(SQLError) -> UInt64? in
            if state.open < limit {
                state.open += 1
                return nil
            }
            guard state.waiters.count < settings.waitingLimit else {
                throw SQLError(.timeout, "\(state.waiters.count) callers wait for a connection to the database already")
            }
            state.nextTicket += 1
            return state.nextTicket
        }
        guard let ticket else { return .room }
        return try await wait(ticket, until: deadline)
    }

    private func wait(_ ticket: UInt64, until deadline: ContinuousClock.Instant) async throws -> Grant {
        readiness.begin()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let served = state.withLock { state -> Grant? in
                    // Somebody may have let go since there was nothing.
                    if let idle = state.idle.popLast() { return .connection(idle.connection, age: idle.age) }
                    if state.open < limit {
                        state.open += 1
                        return .room
                    }
                    state.waiters[ticket] = Waiter(deadline: deadline, continuation: continuation)
                    state.line.append(ticket)
                    return nil
                }
                publish()
                if let served { return continuation.resume(returning: served) }
                if Task.isCancelled { giveUp(ticket, CancellationError()) }
            }
        } onCancel: {
            giveUp(ticket, CancellationError())
        }
    }

    /// Sends away who waits for too long.
    private func expire(at now: ContinuousClock.Instant) {
        let late = state.withLock { $0.waiters.filter { $0.value.deadline <= now }.keys }
        for ticket in late {
            giveUp(
                ticket,
                SQLError(
                    .timeout,
                    "no connection to the database became free within \(settings.waitingTimeout): \(limit) are in use"))
        }
    }

    /// Takes a waiter out of the line, if it is still there.
    private func giveUp(_ ticket: UInt64, _ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            state.line.removeAll { $0 == ticket }
            return state.waiters.removeValue(forKey: ticket)
        }
        waiter?.continuation.resume(throwing: error)
    }

    private func release(_ connection: PostgresConnection, age: Int) {
        let isCurrent = state.withLock { $0.age == age }
        if connection.isReusable, isCurrent { handOver((connection, age)) } else { discard(connection) }
    }

    private func discard(_ connection: PostgresConnection) {
        state.withLock { $0.open -= 1 }
        handOver(nil)
    }

    /// Gives a connection, or the room for one, to the first in line.
    private func handOver(_ returned: (connection: PostgresConnection, age: Int)?) {
        let served = state.withLock { state -> Waiter? in
            guard !state.line.isEmpty, returned != nil || state.open < limit else {
                if let returned { state.idle.append((returned.connection, .now, returned.age)) }
                return nil
            }
            if returned == nil { state.open += 1 }
            return state.waiters.removeValue(forKey: state.line.removeFirst())
        }
        served?.continuation.resume(returning: returned.map { .connection($0.connection, age: $0.age) } ?? .room)
    }

    /// Opens a connection in room that was given; `nil` when it is worth asking for room again.
    private func open(patience: ContinuousClock.Instant) async throws -> (PostgresConnection, Int)? {
        do {
            try await waitForNextTry(patience: patience)
            let age = state.withLock { $0.age }
            let connection = try await PostgresConnection.open(
                settings, role: role, readiness: readiness, blocking: blocking)
            guard !role.writes || !connection.isReadOnly else {
                throw SQLError(
                    .readOnly,
                    "\(settings.address) takes no writes: it is a replica, or default_transaction_read_only is on")
            }
            let wasAway = state.withLock { state in
                defer { state.absence = nil }
                return state.absence != nil
            }
            if wasAway { logger.notice("Reached the database again", metadata: ["database": "\(settings.address)"]) }
            return (connection, age)
        } catch {
            state.withLock { $0.open -= 1 }
            if let error = error as? SQLError { note(error) }
            handOver(nil)
            guard let error = error as? SQLError, error.kind == .connectionLost, ContinuousClock.now < patience else {
                throw error
            }
            return nil
        }
    }

    /// Lets the pause after a failure pass. A caller without so much patience gets that failure at once.
    private func waitForNextTry(patience: ContinuousClock.Instant) async throws {
        guard let absence = state.withLock({ $0.absence }), absence.nextTry > .now else { return }
        guard absence.nextTry <= patience else { throw absence.error }
        try await Task.sleep(until: absence.nextTry)
    }

    private func note(_ error: SQLError) {
        let isNew = state.withLock { state -> Bool in
            guard var absence = state.absence else {
                state.absence = Absence(error: error, nextTry: .now + Self.firstPause, pause: Self.firstPause)
                return true
            }
            // Callers that failed side by side count as one.
            guard absence.nextTry <= .now else { return false }
            absence.pause = min(absence.pause * 2, Self.longestPause)
            absence.nextTry = .now + absence.pause * Double.random(in: 0.5...1)
            state.absence = Absence(error: error, nextTry: absence.nextTry, pause: absence.pause)
            return false
        }
        if isNew {
            logger.warning(
                "Cannot reach the database",
                metadata: ["database": "\(settings.address)", "error": "\(error)"])
        }
    }
}
