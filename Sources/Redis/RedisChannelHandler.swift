import Domain
import NIOCore

/// Commands out, answers in, in the same order. Lives on the event loop of its channel.
///
/// A server that does not answer in time, or says what is not the protocol, loses the connection: in a pipeline there is
/// no way to leave one answer out.
final class RedisChannelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = RedisRequest
    typealias OutboundOut = ByteBuffer

    private let reader: ReplyReader
    private let timeLimit: TimeAmount
    private let limit: Int
    private let onMessage: (@Sendable (RedisMessage) -> Void)?
    private var waiting = CircularBuffer<(answer: EventLoopPromise<RedisReply>, deadline: NIODeadline)>()
    private var timer: Scheduled<Void>?
    /// Why the connection ends.
    private var reason: RedisError?

    /// With `onMessage` it is a connection that subscribes.
    init(configuration: RedisConfiguration, onMessage: (@Sendable (RedisMessage) -> Void)?) {
        reader = ReplyReader(limitInBytes: configuration.answerInBytes)
        timeLimit = .milliseconds(max(1, configuration.timeLimit.wholeMilliseconds))
        limit = configuration.commandsInFlight
        self.onMessage = onMessage
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        guard reason == nil else {
            return fail(request, with: reason ?? .notConnected, promise)
        }
        guard waiting.count < limit else { return fail(request, with: .overloaded, promise) }
        guard let bytes = request.command.formatted(with: context.channel.allocator) else {
            return fail(request, with: .overloaded, promise)
        }
        waiting.append((request.answer, .now() + timeLimit))
        watchTheClock(context)
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    private func fail(_ request: RedisRequest, with error: RedisError, _ promise: EventLoopPromise<Void>?) {
        request.answer.fail(error)
        promise?.fail(error)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard reason == nil else { return }
        do throws(RedisError) {
            for reply in try reader.read(unwrapInboundIn(data)) { try take(reply) }
        } catch {
            end(context, because: error)
        }
    }

    private func take(_ reply: RedisReply) throws(RedisError) {
        if let onMessage, let message = RedisMessage(reply) { return onMessage(message) }
        guard let next = waiting.popFirst() else { throw .malformed("an answer that nobody asked for") }
        next.answer.succeed(reply)
    }

    private func watchTheClock(_ context: ChannelHandlerContext) {
        guard timer == nil, let first = waiting.first else { return }
        let box = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: first.deadline) {
            let (handler, context) = box.value
            handler.timer = nil
            guard let first = handler.waiting.first else { return }
            if first.deadline <= .now() {
                handler.end(context, because: .timeLimit)
            } else {
                handler.watchTheClock(context)
            }
        }
    }

    private func end(_ context: ChannelHandlerContext, because error: RedisError) {
        if reason == nil { reason = error }
        failAll()
        context.close(promise: nil)
    }

    private func failAll() {
        timer?.cancel()
        timer = nil
        let error = reason ?? .connectionLost("the server closed it")
        while let next = waiting.popFirst() { next.answer.fail(error) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, because: .connectionLost("\(error)"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        if reason == nil { reason = .connectionLost("the server closed it") }
        failAll()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if reason == nil { reason = .connectionLost("it was closed") }
        failAll()
    }
}
