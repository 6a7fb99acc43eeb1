import BlockingIO
import CPostgres
import Database
import Synchronization

/// One session with the server, used by one task at a time.
///
/// libpq is in pipeline mode throughout: what is sent together costs one round trip, and nothing after a refused
/// statement runs. No call blocks: the socket is waited for by ``SocketReadiness``.
final class PostgresConnection: Sendable {
    /// One answer that the server owes.
    private enum Debt {
        case statement(PostgresStatement)
        case preparation(of: String)
        case removal
    }

    private struct State {
        let handle: OpaquePointer
        var prepared: PreparedStatements
        var isBroken = false
        /// What the server owes, oldest first; each round ends with one more answer.
        var debts: [Debt] = []
    }

    /// How long the server may take to say that it stopped a statement.
    private static let cancelTimeout = Duration.seconds(5)

    private let state: Mutex<State>
    private let warnings = ServerWarnings()
    private let readiness: SocketReadiness
    private let blocking: BlockingPool
    let role: PostgresRole

    /// Begins to open a connection. Blocks while the host's name is looked up.
    private init(
        _ settings: PostgresSettings, role: PostgresRole, readiness: SocketReadiness, blocking: BlockingPool
    ) throws {
        let parameters = settings.address.connectionParameters(settings, role: role)
        let keywords = parameters.keys.sorted()
        let handle = CStrings.with(keywords) { keywords in
            CStrings.with(parameters.sorted { $0.key < $1.key }.map(\.value)) { values in
                PQconnectStartParams(keywords, values, 0)
            }
        }
        guard let handle else { throw SQLError(.other, "there is no memory for a connection") }
        _ = PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        warnings.listen(to: handle)
        state = Mutex(State(handle: handle, prepared: PreparedStatements(limit: settings.preparedStatementLimit)))
        self.readiness = readiness
        self.blocking = blocking
        self.role = role
    }

    deinit { state.withLock { PQfinish($0.handle) } }

    /// Opens a connection within the settings' time limit. Throws ``SQLError``, or `CancellationError`.
    static func open(
        _ settings: PostgresSettings, role: PostgresRole, readiness: SocketReadiness, blocking: BlockingPool
    ) async throws -> PostgresConnection {
        let deadline = ContinuousClock.now + settings.connectTimeout
        let connection = try await blocking.run {
            try PostgresConnection(settings, role: role, readiness: readiness, blocking: blocking)
        }
        // libpq wants to write first; the steps look up names, read certificates and hash passwords.
        var interest: SocketReadiness.Interest? = .writing
        while let wanted = interest {
            let socket = connection.state.withLock { PQsocket($0.handle) }
            if socket >= 0 {
                switch await readiness.wait(for: socket, wanted, until: deadline, isCancellable: true) {
                case .ready: break
                case .timedOut:
                    throw SQLError(
                        .connectionLost,
                        "\(settings.address) did not answer within \(settings.connectTimeout)")
                case .cancelled: throw CancellationError()
                }
            }
            interest = try await blocking.run { try connection.advanceOpening() }
        }
        try connection.beginUse(settings)
        return connection
    }

    /// What to wait for next; `nil` when the connection is open.
    private func advanceOpening() throws -> SocketReadiness.Interest? {
        try state.withLock { state in
            switch PQconnectPoll(state.handle) {
            case PGRES_POLLING_OK: return nil
            case PGRES_POLLING_READING: return .reading
            case PGRES_POLLING_WRITING: return .writing
            default: throw PostgresRefusal.ofConnecting(String(cString: PQerrorMessage(state.handle)))
            }
        }
    }

    private func beginUse(_ settings: PostgresSettings) throws {
        try state.withLock { state in
            guard PQserverVersion(state.handle) >= 150_000 else {
                throw SQLError(
                    .unsuitable, "the server is PostgreSQL \(PQserverVersion(state.handle) / 10_000); 15 is the oldest")
            }
            guard PQsetnonblocking(state.handle, 1) == 0, PQenterPipelineMode(state.handle) == 1 else {
                throw SQLError(.other, "libpq refuses the pipeline mode")
            }
            _ = PQsetErrorVerbosity(state.handle, PQERRORS_DEFAULT)
        }
    }

    // MARK: What is known without asking

    /// Whether the connection is of no use any more.
    var isBroken: Bool { state.withLock { $0.isBroken } }

    /// Whether another caller can use the connection: it works, and no transaction is open on it.
    var isReusable: Bool { state.withLock { !$0.isBroken && PQtransactionStatus($0.handle) == PQTRANS_IDLE } }

    /// Whether the server said that it takes no writes.
    var isReadOnly: Bool {
        state.withLock { state in
            Self.parameter("in_hot_standby", state.handle) == "on"
                || Self.parameter("default_transaction_read_only", state.handle) == "on"
        }
    }

    /// Reads what came while nobody asked, such as the server's farewell. Returns whether the connection still lives.
    func looksAlive() -> Bool {
        state.withLock { state in
            let isOpen = PQconsumeInput(state.handle) == 1 && PQstatus(state.handle) == CONNECTION_OK
            // Understands what was read, which may be the server's farewell.
            if isOpen { _ = PQisBusy(state.handle) }
            if !isOpen || warnings.hasFarewell { state.isBroken = true }
            return !state.isBroken
        }
    }

    /// The newest warning of the server that nobody has taken.
    func takeWarning() -> String? { warnings.take() }

    // MARK: Statements

    /// Sends statements together and returns the answer to each. When one is refused the later ones do not run, and
    /// the refusal is thrown. Nothing but a lost connection or a time limit keeps the connection from being used again.
    ///
    /// - Parameter isCancellable: whether the end of the task stops the statement on the server; `CancellationError`
    ///   is thrown when the server has let go of it.
    func run(
        _ statements: [PostgresStatement], within limit: Duration, isCancellable: Bool
    ) async throws -> [PostgresAnswer] {
        let deadline = ContinuousClock.now + limit
        do {
            try state.withLock { try send(statements, &$0) }
            return try await collect(until: deadline, isCancellable: isCancellable)
        } catch is CancellationError {
            await cancelOnServer()
            throw CancellationError()
        }
    }

    /// Asks the server for a sign of life.
    func ping(within limit: Duration) async -> Bool {
        (try? await run([], within: limit, isCancellable: false)) != nil
    }

    private func send(_ statements: [PostgresStatement], _ state: inout State) throws {
        guard !state.isBroken, state.debts.isEmpty else { throw SQLError(.connectionLost, "the connection is lost") }
        for statement in statements {
            var parameters = try PostgresParameters(statement.parameters)
            let name: String
            switch state.prepared.use(statement.text) {
            case .known(let known): name = known
            case .new(let new, let evicted):
                if let evicted {
                    try check(
                        PQsendQueryParams(state.handle, "DEALLOCATE \(evicted)", 0, nil, nil, nil, nil, 1), &state)
                    state.debts.append(.removal)
                }
                try check(PQsendPrepare(state.handle, new, statement.text, 0, nil), &state)
                state.debts.append(.preparation(of: statement.text))
                name = new
            }
            let handle = state.handle
            try check(
                parameters.with { values, lengths, formats, count in
                    PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
                }, &state)
            state.debts.append(.statement(statement))
        }
        try check(PQpipelineSync(state.handle), &state)
    }

    private func check(_ result: CInt, _ state: inout State) throws {
        guard result == 1 else { throw lost(&state) }
    }

    private func lost(_ state: inout State) -> SQLError {
        state.isBroken = true
        let text = String(cString: PQerrorMessage(state.handle)).trimmedLine
        return SQLError(.connectionLost, text.isEmpty ? "the server ended the connection" : text)
    }

    /// Reads the answers to what was sent, up to the end of the round.
    private func collect(
        until deadline: ContinuousClock.Instant, isCancellable: Bool
    ) async throws -> [PostgresAnswer] {
        var answers: [PostgresAnswer] = []
        var refusal: SQLError?
        while true {
            let (socket, interest) = try state.withLock { state -> (CInt, SocketReadiness.Interest?) in
                let unsent = PQflush(state.handle)
                guard unsent >= 0 else { throw refusal ?? lost(&state) }
                if try read(&answers, &refusal, &state) { return (-1, nil) }
                return (PQsocket(state.handle), unsent == 1 ? .readingOrWriting : .reading)
            }
            guard let interest else { break }
            switch await readiness.wait(for: socket, interest, until: deadline, isCancellable: isCancellable) {
            case .ready:
                try state.withLock { state in
                    // What the server said before it went is read first.
                    guard PQconsumeInput(state.handle) == 0 else { return }
                    _ = try? read(&answers, &refusal, &state)
                    let error = lost(&state)
                    throw refusal ?? error
                }
            case .timedOut:
                state.withLock { $0.isBroken = true }
                throw SQLError(.connectionLost, "the server did not answer in time")
            case .cancelled: throw CancellationError()
            }
        }
        if let refusal { throw refusal }
        return answers
    }

    /// Takes what libpq has read. Returns whether the round is complete.
    private func read(
        _ answers: inout [PostgresAnswer], _ refusal: inout SQLError?, _ state: inout State
    ) throws -> Bool {
        while PQisBusy(state.handle) == 0 {
            // Between the answers to two statements there is an empty one.
            guard let result = PQgetResult(state.handle) else {
                guard PQstatus(state.handle) == CONNECTION_OK else {
                    let error = lost(&state)
                    throw refusal ?? error
                }
                continue
            }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                state.debts = []
                return true
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
                guard let debt = state.debts.first else { throw lost(&state) }
                state.debts.removeFirst()
                guard case .statement(let statement) = debt, refusal == nil else { continue }
                do {
                    answers.append(try PostgresAnswer(result, decodesRows: statement.decodesRows))
                } catch {
                    refusal = error
                }
            case PGRES_PIPELINE_ABORTED:
                if case .preparation(let text) = state.debts.first { state.prepared.forget(text) }
                if !state.debts.isEmpty { state.debts.removeFirst() }
            default:
                let error = PostgresRefusal(result)
                if case .preparation(let text) = state.debts.first { state.prepared.forget(text) }
                if !state.debts.isEmpty { state.debts.removeFirst() }
                if error.endsConnection { state.isBroken = true }
                refusal = refusal ?? error.error
                if error.endsConnection { throw error.error }
            }
        }
        return false
    }

    /// Stops what the server does for this connection and reads the rest of its answers, in a cancelled task too.
    private func cancelOnServer() async {
        guard let request = state.withLock({ CancelRequest($0.handle) }) else {
            return state.withLock { $0.isBroken = true }
        }
        // libpq waits here for the server to take the request.
        await blocking.runEvenIfCancelled { request.send() }
        do {
            _ = try await collect(until: .now + Self.cancelTimeout, isCancellable: false)
        } catch {
            // The refusal of a stopped statement is what was wanted; a broken connection has been marked as such.
        }
    }

    /// A setting that the server reports whenever it changes.
    private static func parameter(_ name: String, _ handle: OpaquePointer) -> String? {
        PQparameterStatus(handle, name).map { String(cString: $0) }
    }

    /// A field of an answer, by its letter in the protocol.
    static func field(_ result: OpaquePointer, _ letter: Unicode.Scalar) -> String? {
        PQresultErrorField(result, CInt(letter.value)).map { String(cString: $0) }
    }
}
