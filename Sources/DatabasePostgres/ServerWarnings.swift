import CPostgres
import Synchronization

/// What the server remarked beside its answers. libpq would print it.
final class ServerWarnings: Sendable {
    private let newest = Mutex<String?>(nil)

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
                guard let context, let result, let text = PostgresConnection.field(result, "V"), text == "WARNING"
                else {
                    return
                }
                let message = PostgresConnection.field(result, "M") ?? ""
                Unmanaged<ServerWarnings>.fromOpaque(context).takeUnretainedValue().newest.withLock { $0 = message }
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
