import BlockingIO
import Database
import Synchronization

/// One open transaction on one connection. It begins on the server with its first statement.
final class PostgresTransaction: SQLTransaction {
    private struct State {
        var hasBegun = false
        var hasEnded = false
        /// How far the server's log was when the snapshot of a reader was taken.
        var logPosition: String?
        /// Why the transaction cannot be committed any more.
        var loss: (any Error)?
        /// What is sent with the next statement.
        var posted: [PostgresStatement] = []
        /// What is sent with the commit.
        var last: [PostgresStatement] = []
        /// Of a reader that ended with its last questions: whether what it saw is on the disk.
        var wasDurable: Bool?

        mutating func takePosted() -> [PostgresStatement] {
            defer { posted = [] }
            return posted
        }

        func requireOpen() throws {
            if let loss { throw loss }
            guard !hasEnded else { throw SQLError(.statement, "the transaction is over") }
        }
    }

    /// So many statements wait for the next one at most.
    private static let postLimit = 32

    /// How much longer than the server's own limits we wait for it to keep them.
    private static let margin = Duration.seconds(5)

    private let connection: PostgresConnection
    private let settings: PostgresSettings
    /// What is sent before the first statement, in the same round trip.
    private let opening: [PostgresStatement]
    private let turn = AsyncSlots(1)
    private let state = Mutex(State())

    init(_ connection: PostgresConnection, settings: PostgresSettings, opening: [PostgresStatement]) {
        self.connection = connection
        self.settings = settings
        self.opening = opening
    }

    /// The refusal that ended the transaction, whatever the body made of it.
    var refusal: SQLError? { state.withLock { $0.loss as? SQLError } }

    @discardableResult
    func execute(_ statement: String, _ parameters: [SQLValue]) async throws -> Int {
        try await run(PostgresStatement(text: statement, parameters: parameters)).changedRows
    }

    func query(_ statement: String, _ parameters: [SQLValue]) async throws -> [SQLRow] {
        try await run(PostgresStatement(text: statement, parameters: parameters, decodesRows: true)).rows
    }

    func queries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        guard !statements.isEmpty else { return [] }
        return try await run(
            statements.map { PostgresStatement(text: $0.text, parameters: $0.parameters, decodesRows: true) }
        ).map(\.rows)
    }

    func lastQueries(_ statements: [SQLStatement]) async throws -> [[SQLRow]] {
        let (hasBegun, position) = state.withLock { ($0.hasBegun, $0.logPosition) }
        // The first round brings the position that is asked about in the last one.
        guard !connection.role.writes, hasBegun else { return try await queries(statements) }
        let questions = statements.map {
            PostgresStatement(text: $0.text, parameters: $0.parameters, decodesRows: true)
        }
        let answers = try await run(questions + (position.map { [.isOnDisk($0)] } ?? []) + [.commit])
        let isDurable = try position == nil || answers[questions.count].rows.first?.boolean("is_on_disk") == true
        state.withLock { state in
            state.hasEnded = true
            state.wasDurable = isDurable
        }
        return answers.prefix(questions.count).map(\.rows)
    }

    func post(_ statement: String, _ parameters: [SQLValue]) async throws {
        let count = try state.withLock { state in
            try state.requireOpen()
            state.posted.append(PostgresStatement(text: statement, parameters: parameters))
            return state.posted.count
        }
        if count >= Self.postLimit { _ = try await run([]) }
    }

    func postLast(_ statement: String, _ parameters: [SQLValue]) async throws {
        try state.withLock { state in
            try state.requireOpen()
            state.last.append(PostgresStatement(text: statement, parameters: parameters))
        }
    }

    private func run(_ statement: PostgresStatement) async throws -> PostgresAnswer {
        try await run([statement])[0]
    }

    /// As many answers as statements; they come in one round trip.
    private func run(_ statements: [PostgresStatement]) async throws -> [PostgresAnswer] {
        try await turn.acquire()
        defer { turn.release() }
        let (isFirst, posted) = try state.withLock { state in
            try state.requireOpen()
            defer { state.hasBegun = true }
            return (!state.hasBegun, state.takePosted())
        }
        do {
            var limit = settings.statementTimeout + Self.margin
            if isFirst { limit += settings.lockTimeout }
            let answers = try await connection.run(
                (isFirst ? opening : []) + posted + statements, within: limit, isCancellable: true)
            if isFirst, let position = try answers.compactMap(Self.logPosition).first {
                state.withLock { $0.logPosition = position }
            }
            guard answers.count >= statements.count else { throw SQLError(.other, "the server did not answer") }
            return answers.suffix(statements.count)
        } catch {
            state.withLock { $0.loss = $0.loss ?? error }
            throw error
        }
    }

    private static func logPosition(_ answer: PostgresAnswer) throws -> String? {
        guard let row = answer.rows.first, row.columns.names == ["position"] else { return nil }
        return try row.text("position")
    }

    /// Commits. Not stopped by the end of the task once it is on its way. Returns whether all that the transaction did
    /// and saw is on the server's disk; ``CommitBarrier`` sees to the rest.
    func commit() async throws -> Bool {
        await turn.acquireEvenIfCancelled()
        defer { turn.release() }
        let (wasDurable, hasBegun, rest) = try state.withLock { state in
            state.hasEnded = true
            if let loss = state.loss { throw loss }
            return (state.wasDurable, state.hasBegun, state.takePosted() + state.last)
        }
        if let wasDurable { return wasDurable }
        guard hasBegun || !rest.isEmpty else { return true }
        // A server that said good-bye before it was asked to commit has not committed.
        guard connection.looksAlive() else {
            throw SQLError(.connectionLost, "the server ended the connection before the transaction was committed")
        }
        _ = connection.takeWarning()
        let answers: [PostgresAnswer]
        let position = state.withLock { $0.logPosition }
        do {
            answers = try await connection.run(
                (position.map { [.isOnDisk($0)] } ?? []) + (hasBegun ? [] : opening) + rest + [.commit],
                within: settings.statementTimeout + Self.margin + (rest.isEmpty ? .zero : settings.lockTimeout),
                isCancellable: false)
        } catch {
            guard connection.isBroken else { throw error }
            throw SQLError(
                .outcomeUnknown,
                "the server was lost while it was told to commit: \((error as? SQLError)?.message ?? "")")
        }
        guard answers.last?.tag == "COMMIT" else {
            throw SQLError(.other, "the server rolled the transaction back instead of committing it")
        }
        // It is committed on this server, but the wait for its standby was broken off.
        if let warning = connection.takeWarning() { throw SQLError(.outcomeUnknown, warning) }
        if position != nil { return try answers.first?.rows.first?.boolean("is_on_disk") == true }
        return connection.role != .writingAhead
    }

    /// Asks everything in one round trip, which is a transaction by itself: on one snapshot, by the settings of
    /// ``PostgresRole/reading``. Nothing can be asked before or afterwards. Returns the rows of each statement, and whether
    /// all that they show is on the server's disk.
    ///
    /// - Parameter looksAtDisk: whether there are commits ahead of the disk at all.
    func ask(_ statements: [SQLStatement], looksAtDisk: Bool) async throws -> ([[SQLRow]], isDurable: Bool) {
        try await turn.acquire()
        defer { turn.release() }
        try state.withLock { state in
            try state.requireOpen()
            state.hasEnded = true
        }
        let questions = statements.map {
            PostgresStatement(text: $0.text, parameters: $0.parameters, decodesRows: true)
        }
        do {
            let answers = try await connection.run(
                (looksAtDisk ? [.isShownOnDisk] : []) + questions, within: settings.statementTimeout + Self.margin,
                isCancellable: true)
            let first = looksAtDisk ? 1 : 0
            guard answers.count == first + questions.count else {
                throw SQLError(.other, "the server did not answer")
            }
            let isDurable = try !looksAtDisk || answers[0].rows.first?.boolean("is_on_disk") == true
            return (answers[first...].map(\.rows), isDurable: isDurable)
        } catch {
            state.withLock { $0.loss = error }
            throw error
        }
    }

    /// Undoes all of it, in a cancelled task too. A connection that does not even do that is marked as broken.
    func rollBack() async {
        await turn.acquireEvenIfCancelled()
        defer { turn.release() }
        let hasBegun = state.withLock { state in
            state.hasEnded = true
            return state.hasBegun
        }
        guard hasBegun, !connection.isBroken else { return }
        _ = try? await connection.run([.rollback], within: Self.margin, isCancellable: false)
    }
}
