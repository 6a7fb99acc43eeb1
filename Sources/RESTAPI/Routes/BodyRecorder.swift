import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Synchronization

/// Takes a body that would have gone to a client, to keep it. Bodies of repeatable routes are small.
final class BodyRecorder: ResponseBodyWriter, Sendable {
    private let content = Mutex<[UInt8]>([])

    var bytes: [UInt8] { content.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
        content.withLock { $0.append(contentsOf: buffer.readableBytesView) }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
