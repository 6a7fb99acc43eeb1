import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One connection to a model, for one request. The address that was checked is the one that is connected to.
struct ModelConnection {
    typealias Stream = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    let settings: EgressSettings
    let resolver: HostResolver
    let tls: NIOSSLContext

    /// Throws ``EgressRefusal``.
    func open(_ address: EgressAddress) async throws -> (stream: Stream, peer: SocketAddress) {
        let isLocalModel = settings.localModels.contains(address.authority)
        guard address.isSecure || isLocalModel else { throw EgressRefusal.plaintext }
        let found: [SocketAddress]
        do {
            found = try await resolver.lookUp(address.host, address.port)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw EgressRefusal.resolution
        }
        guard !found.isEmpty else { throw EgressRefusal.resolution }
        // One bad address among good ones is reason enough: whoever answers for the name mixes them.
        for peer in found {
            switch AddressKind(peer.addressBytes) {
            case .open: continue
            case .local: guard isLocalModel else { throw EgressRefusal.address }
            case .forbidden: throw EgressRefusal.address
            }
        }
        for peer in found.prefix(4) {
            try Task.checkCancellation()
            if let stream = try? await connect(to: peer, as: address) { return (stream, peer) }
        }
        throw EgressRefusal.connection
    }

    private func connect(to peer: SocketAddress, as address: EgressAddress) async throws -> Stream {
        let (settings, tls) = (settings, tls)
        return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(settings.connectLimit)
            .connect(to: peer) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if address.isSecure {
                        let isName = !AddressText.isAddress(address.host)
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: isName ? address.host : nil))
                    }
                    try pipeline.addHandler(IdleStateHandler(readTimeout: settings.silenceLimit))
                    try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                    try pipeline.addHandler(SilenceHandler())
                    return try Stream(wrappingChannelSynchronously: channel)
                }
            }
    }
}

/// Whether a host is an address and not a name: TLS knows names and addresses apart.
enum AddressText {
    static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}

/// Ends a connection whose other side says nothing any more.
private final class SilenceHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.fireErrorCaught(EgressRefusal.silence)
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
