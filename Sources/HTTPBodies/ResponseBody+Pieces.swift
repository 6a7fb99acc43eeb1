import BlockingIO
package import HummingbirdCore
package import NIOCore

extension ResponseBody {
    /// How many pieces may be made and not sent.
    private static let piecesAhead = 4

    /// A body that is made while it is sent: `make` hands out pieces, and waits when the client reads slowly. When
    /// `make` throws, the connection breaks off, so that half a body does not look like a whole one.
    package static func pieces(
        contentLength: Int? = nil,
        _ make: @escaping @Sendable (_ send: @escaping @Sendable (ByteBuffer) async throws -> Void) async throws -> Void
    ) -> ResponseBody {
        ResponseBody(contentLength: contentLength) { writer in
            let room = AsyncSlots(piecesAhead)
            // Bounded by the slots: one is taken before a piece goes in.
            let (pieces, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { continuation.finish() }
                    try await make { piece in
                        try await room.acquire()
                        continuation.yield(piece)
                    }
                }
                defer { group.cancelAll() }
                for await piece in pieces {
                    try await writer.write(piece)
                    room.release()
                }
                try await group.next()
            }
            try await writer.finish(nil)
        }
    }
}
