/// What a server answered. Bytes that are no UTF-8 are replaced: nothing that we keep there has any.
package indirect enum RedisReply: Sendable, Equatable {
    case nothing
    case integer(Int64)
    case text(String)
    /// The server refused the command; the first word says why, such as `NOSCRIPT`.
    case refusal(String)
    case list([RedisReply])

    package var text: String? { if case .text(let text) = self { text } else { nil } }
    package var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    package var list: [RedisReply]? { if case .list(let list) = self { list } else { nil } }
}
