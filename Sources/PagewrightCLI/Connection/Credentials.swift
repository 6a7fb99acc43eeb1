import Foundation

/// What `login` saves: one session per server, and the server that is meant when none is named.
struct Credentials: Codable, Sendable, Equatable {
    struct Session: Codable, Sendable, Equatable {
        var email: String
        var accessToken: String
        var accessExpiresAt: Date
        var refreshToken: String
        var refreshExpiresAt: Date
    }

    var current: String?
    var servers: [String: Session] = [:]
}
