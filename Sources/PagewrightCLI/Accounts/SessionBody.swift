import Foundation

struct UserBody: Decodable {
    let id: String
    let email: String
    let name: String
    let role: String
}

/// What `register`, `login` and `refresh` answer.
struct SessionBody: Decodable {
    let user: UserBody
    let accessToken: String
    let accessExpiresAt: String
    let refreshToken: String
    let refreshExpiresAt: String

    var credentials: Credentials.Session {
        get throws {
            guard let access = Wording.date(accessExpiresAt), let refresh = Wording.date(refreshExpiresAt) else {
                throw CLIError(.failed, "the server's session has no times that this program understands")
            }
            return Credentials.Session(
                email: user.email, accessToken: accessToken, accessExpiresAt: access, refreshToken: refreshToken,
                refreshExpiresAt: refresh)
        }
    }
}
