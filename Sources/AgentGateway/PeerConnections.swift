import NIOCore
import Synchronization

/// The open connections by the address of their peer, so that one can be cut: a peer that hangs answers no polite end.
final class PeerConnections: Sendable {
    private let channels = Mutex<[String: any Channel]>([:])

    func add(_ channel: any Channel) {
        guard let key = Self.key(channel.remoteAddress) else { return }
        channels.withLock { $0[key] = channel }
        channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[key] = nil } }
    }

    /// `peer` as `ServerContext.remotePeer` says it.
    func cut(_ peer: String) {
        channels.withLock { $0[peer] }?.close(promise: nil)
    }

    private static func key(_ address: SocketAddress?) -> String? {
        guard let address, let ip = address.ipAddress, let port = address.port else { return nil }
        return switch address {
        case .v6: "ipv6:[\(ip)]:\(port)"
        default: "ipv4:\(ip):\(port)"
        }
    }
}
