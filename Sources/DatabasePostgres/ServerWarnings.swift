import CPostgres
import Synchronization

/// What the server remarked beside its answers. libpq would print it.
final class ServerWarnings: Sendable {
    private let newest = Mutex<String?>(nil)
    private let farewell = Atomic(false)

    /// Whether the server said that it ends the session.
    var hasFarewell: Bool { farewell.load(ordering: .relaxed) }

    /// The newest warning since the last call.
    func take() -> String? {
        newest.withLock { newest in
            defer { newest = nil }
            return newest
        }
    }

    /// Listens to `connection`, which must not live longer than this object.
    func listen(to connection: OpaquePointer) {
        _ = PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let result else { return }
                let warnings = Unmanaged<ServerWarnings>.fromOpaque(context).takeUnretainedValue()
                switch PostgresConnection.field(result, "V") {
                case "WARNING":
                    let message = PostgresConnection.field(result, "M") ?? ""
                    warnings.newest.withLock { $0 = message }
                // Said to a session that asked for nothing; the end of the stream comes after it.
                case "FATAL", "PANIC": warnings.farewell.store(true, ordering: .relaxed)
                default: break
                }
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
