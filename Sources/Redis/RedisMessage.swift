/// Something that was published on a channel.
package struct RedisMessage: Sendable, Equatable {
    package let channel: String
    package let payload: String

    package init(channel: String, payload: String) {
        self.channel = channel
        self.payload = payload
    }

    /// `nil` when the reply is no message.
    init?(_ reply: RedisReply) {
        guard let words = reply.list, words.count == 3, words[0].text == "message", let channel = words[1].text,
            let payload = words[2].text
        else { return nil }
        self.init(channel: channel, payload: payload)
    }
}
