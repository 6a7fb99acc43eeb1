/// Why Redis gave no answer that is of use. Whoever asked goes on without it.
package enum RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no connection now; another one is being made.
    case notConnected
    case connectionLost(String)
    /// The server did not answer in time; the connection was given up.
    case timeLimit
    /// So many commands wait for an answer that no more are sent.
    case overloaded
    /// The server refused the command, in its words.
    case refused(String)
    /// The server said something that is not the protocol, or not what the command answers.
    case malformed(String)

    /// Whether the server knows us not, or lets us do nothing: that needs a person, and does not pass by itself.
    package var isDenial: Bool {
        guard case .refused(let words) = self else { return false }
        return ["WRONGPASS", "NOAUTH", "NOPERM", "ERR AUTH", "ERR Client sent AUTH", "ERR DB index"]
            .contains { words.hasPrefix($0) }
    }

    package var description: String {
        switch self {
        case .notConnected: "Redis is not connected"
        case .connectionLost(let reason): "the connection to Redis was lost: \(reason)"
        case .timeLimit: "Redis did not answer in time"
        case .overloaded: "too many commands wait for Redis"
        case .refused(let words): "Redis refused: \(words)"
        case .malformed(let what): "Redis said what cannot be understood: \(what)"
        }
    }
}
