import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Stands for a model's server, or for a host that nobody may reach: keeps what it was asked, and answers as it is told.
final class ModelServer: Sendable {
    struct Asked: Sendable, Equatable {
        var method: String
        var uri: String
        var headers: [String: String]
        var body: String
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = [("content-type", "application/json")]
        /// Sent one after the other.
        var pieces = [#"{"answer":true}"#]
        /// Whether the answer ends; otherwise it says nothing more.
        var ends = true
        /// Whether it says anything at all.
        var isSilent = false
    }

    private let state = Mutex<[Asked]>([])
    private let connectionCount = Mutex(0)
    private let answer: @Sendable (Asked) -> Answer
    private let channel = Mutex<(any Channel)?>(nil)

    private init(_ answer: @escaping @Sendable (Asked) -> Answer) { self.answer = answer }

    var asked: [Asked] { state.withLock { $0 } }
    var connections: Int { connectionCount.withLock { $0 } }
    var port: Int { channel.withLock { $0?.localAddress?.port } ?? 0 }

    static func start(
        tls: NIOSSLContext? = nil, host: String = "127.0.0.1",
        answering answer: @escaping @Sendable (Asked) -> Answer = { _ in Answer() }
    ) async throws -> ModelServer {
        let server = ModelServer(answer)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                server.connectionCount.withLock { $0 += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(Handler(server))
                }
            }
            .bind(host: host, port: 0).get()
        server.channel.withLock { $0 = channel }
        return server
    }

    func stop() { channel.withLock { $0 }?.close(promise: nil) }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: ModelServer
        private var asked = Asked(method: "", uri: "", headers: [:], body: "")

        init(_ server: ModelServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                asked = Asked(
                    method: head.method.rawValue, uri: head.uri,
                    headers: Dictionary(
                        head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { "\($0), \($1)" }),
                    body: "")
            case .body(let piece): asked.body += String(buffer: piece)
            case .end:
                let asked = asked
                server.state.withLock { $0.append(asked) }
                reply(server.answer(asked), context)
            }
        }

        private func reply(_ answer: Answer, _ context: ChannelHandlerContext) {
            guard !answer.isSilent else { return }
            let head = HTTPResponseHead(
                version: .http1_1, status: .init(statusCode: answer.status), headers: HTTPHeaders(answer.headers))
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            for piece in answer.pieces {
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: piece)))), promise: nil)
            }
            if answer.ends { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        }
    }
}
