import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy that treats connections badly, each in the way that the test says.
final class CuttingProxy: Sendable {
    enum Treatment: Sendable {
        case none
        /// Closes after so many bytes came from the server.
        case cutAnswer(afterBytes: Int)
        /// Closes after so many bytes came from the client.
        case cutRequest(afterBytes: Int)
        /// Flips the lowest bit of this byte of what comes from the server.
        case flipBit(ofByte: Int)
    }

    private let channel: any Channel
    let port: Int
    private let count: Counter

    /// How many connections were made.
    var connections: Int { count.value }

    /// Stands before `target` on the loopback interface; the treatment is by the number of the connection, from 1.
    static func with<Value>(
        target: Int, _ treatment: @escaping @Sendable (Int) -> Treatment,
        _ body: (CuttingProxy) async throws -> Value
    ) async throws -> Value {
        let count = Counter()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                let treatment = treatment(count.next())
                return ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: target).flatMap { server in
                        client.eventLoop.makeCompletedFuture {
                            let up = Relay(to: server, treatment: treatment, isFromServer: false)
                            let down = Relay(to: client, treatment: treatment, isFromServer: true)
                            try client.pipeline.syncOperations.addHandler(up)
                            try server.pipeline.syncOperations.addHandler(down)
                            // The client's channel begins to read when it becomes active.
                            server.read()
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = CuttingProxy(channel: channel, count: count)
        do {
            let value = try await body(proxy)
            try await channel.close()
            return value
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private init(channel: any Channel, count: Counter) {
        self.channel = channel
        port = channel.localAddress!.port!
        self.count = count
    }
}

private final class Counter: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func next() -> Int {
        number.withLock {
            $0 += 1
            return $0
        }
    }
}

private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let target: any Channel
    private let treatment: CuttingProxy.Treatment
    private let isFromServer: Bool
    private var moved = 0

    init(to target: any Channel, treatment: CuttingProxy.Treatment, isFromServer: Bool) {
        self.target = target
        self.treatment = treatment
        self.isFromServer = isFromServer
    }

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        let before = moved
        moved += bytes.readableBytes
        switch (treatment, isFromServer) {
        case (.cutAnswer(let limit), true), (.cutRequest(let limit), false):
            guard moved >= limit else { break }
            let rest = bytes.getSlice(at: bytes.readerIndex, length: max(0, limit - before)) ?? ByteBuffer()
            target.writeAndFlush(rest, promise: nil)
            target.close(promise: nil)
            context.close(promise: nil)
            return
        case (.flipBit(let place), true) where (before..<moved).contains(place):
            let index = bytes.readerIndex + place - before
            bytes.setInteger(bytes.getInteger(at: index, as: UInt8.self)! ^ 1, at: index)
        default: break
        }
        let channel = context.channel
        target.writeAndFlush(bytes).whenComplete { _ in channel.read() }
    }

    func channelInactive(context: ChannelHandlerContext) { target.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
