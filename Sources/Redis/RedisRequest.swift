import NIOCore

/// A command on its way, and who waits for the answer.
struct RedisRequest: Sendable {
    let command: RedisCommand
    let answer: EventLoopPromise<RedisReply>
}
