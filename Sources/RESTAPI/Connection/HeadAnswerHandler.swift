import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Sends answers to HEAD whose body has no length that is known beforehand: the headers are those of the GET
/// (`Transfer-Encoding: chunked`), and the connection ends behind them, because the encoder below would otherwise send the
/// last chunk of a body that must not be there.
final class HeadAnswerHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Whether each request that has no answer yet is a HEAD, oldest first. Few: reading waits for the application.
    private var unanswered = CircularBuffer<Bool>()
    private var isOpenEnded = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let request) = Self.unwrapInboundIn(data) { unanswered.append(request.method == .head) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch Self.unwrapOutboundIn(data) {
        case .head(let answer) where answer.status.kind != .informational:
            let isHead = unanswered.popFirst() ?? false
            isOpenEnded = isHead && answer.headerFields[.contentLength] == nil && answer.status.mayHaveBody
            context.write(data, promise: promise)
        case .end where isOpenEnded:
            context.flush()
            context.close(promise: promise)
        default:
            context.write(data, promise: promise)
        }
    }
}

extension HTTPResponse.Status {
    fileprivate var mayHaveBody: Bool { self != .noContent && self != .notModified }
}
