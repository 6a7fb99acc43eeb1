import CPostgres

/// What it takes to stop a statement of a connection from another thread.
final class CancelRequest: Sendable {
    // Never changes once it is made; libpq reads it on any thread.
    private nonisolated(unsafe) let handle: OpaquePointer

    /// `nil` when the connection is closed.
    init?(_ connection: OpaquePointer) {
        guard let handle = PQgetCancel(connection) else { return nil }
        self.handle = handle
    }

    deinit { PQfreeCancel(handle) }

    /// Blocks until the server has the request. Whether it arrived shows in what the connection answers.
    func send() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            _ = PQcancel(handle, buffer.baseAddress, 256)
        }
    }
}
