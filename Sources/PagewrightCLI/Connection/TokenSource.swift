import Foundation

/// Where the bearer token comes from.
enum TokenSource: Sendable {
    /// Requests that need no user.
    case none
    /// `--token` or PAGEWRIGHT_TOKEN; it cannot be renewed.
    case fixed(String)
    /// The session that `login` saved.
    case saved(CredentialStore)

    /// The token to send now.
    func current(for client: APIClient) async throws -> String? {
        switch self {
        case .none: return nil
        case .fixed(let token): return token
        case .saved(let store):
            guard let session = try store.load().servers[client.server.text] else {
                throw CLIError(
                    .notLoggedIn, "you are not logged in at \(client.server)",
                    nextStep: "Log in with: pagewright login.")
            }
            if session.accessExpiresAt > Date(timeIntervalSinceNow: 20) { return session.accessToken }
            return try await renewed(replacing: session.accessToken, for: client)
        }
    }

    /// A fresh token after `old` was refused or ran out; `nil` when this source has no other.
    func renewed(replacing old: String?, for client: APIClient) async throws -> String? {
        guard case .saved(let store) = self else { return nil }
        return try await store.update { credentials in
            guard let session = credentials.servers[client.server.text] else { return nil }
            // Another pagewright was quicker.
            if session.accessToken != old, session.accessExpiresAt > Date(timeIntervalSinceNow: 20) {
                return session.accessToken
            }
            let anonymous = APIClient(server: client.server, tokens: .none, http: client.http)
            do {
                let answer = try await anonymous.send(
                    .post, "/auth/refresh", body: .json(["refresh_token": session.refreshToken]))
                let fresh = try answer.decode(SessionBody.self)
                credentials.servers[client.server.text] = try fresh.credentials
                return fresh.accessToken
            } catch let error as CLIError where error.status == .notLoggedIn {
                credentials.servers[client.server.text] = nil
                return nil
            }
        }
    }
}
