import Domain
import NIOCore
import NIOPosix
import NIOSSL

/// One connection. Commands that are sent without waiting for each other travel together.
package final class RedisConnection: Sendable {
    private let channel: any Channel
    let endpoint: RedisEndpoint

    private init(channel: any Channel, endpoint: RedisEndpoint) {
        self.channel = channel
        self.endpoint = endpoint
    }

    /// Connects; nothing was said yet. With `onMessage` it can subscribe.
    static func open(
        to endpoint: RedisEndpoint, configuration: RedisConfiguration, tls: NIOSSLContext?,
        onMessage: (@Sendable (RedisMessage) -> Void)? = nil
    ) async throws -> RedisConnection {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.milliseconds(max(1, configuration.timeLimit.wholeMilliseconds)))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: endpoint.serverName))
                    }
                    try pipeline.addHandler(RedisChannelHandler(configuration: configuration, onMessage: onMessage))
                }
            }
        do {
            let channel =
                switch endpoint {
                case .network(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                case .socket(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
            return RedisConnection(channel: channel, endpoint: endpoint)
        } catch {
            throw RedisError.connectionLost("cannot connect to \(endpoint): \(error)")
        }
    }

    /// Sends a command and waits for its answer, no longer than the time limit. A refusal is thrown.
    package func send(_ command: RedisCommand) async throws -> RedisReply {
        let answer = channel.eventLoop.makePromise(of: RedisReply.self)
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenFailure { error in
            answer.fail(error as? RedisError ?? .connectionLost("\(error)"))
        }
        channel.writeAndFlush(RedisRequest(command: command, answer: answer), promise: written)
        let reply = try await answer.futureResult.get()
        if case .refusal(let words) = reply {
            // A master that became a replica, or one that is not ready, is of no use any more.
            if ["READONLY", "LOADING", "MASTERDOWN"].contains(where: words.hasPrefix) { close() }
            throw RedisError.refused(words)
        }
        return reply
    }

    package func close() { channel.close(promise: nil) }

    /// Returns when the connection is gone. A cancelled task closes it.
    func waitUntilClosed() async {
        await withTaskCancellationHandler {
            try? await channel.closeFuture.get()
        } onCancel: {
            close()
        }
    }
}
