import Database
package import Domain
import Logging
import Persistence

/// What people do with their own accounts. All of it needs a log-in: a token that was stolen must not be able to make
/// itself at home.
extension AccountService {
    /// Changes what is not `nil`. Another e-mail address or password needs the current password; another password ends
    /// all sessions but `session`.
    package func change(
        name: String? = nil, email: String? = nil, password: String? = nil, currentPassword: String? = nil,
        keeping session: SessionID?, from address: ClientAddress, for principal: Principal,
        once: Once<User> = .unkeyed
    ) async throws -> User {
        try principal.requireSession()
        let now = clock.now()
        let before = try await me(principal)
        let name = try name.map { try Site.validName($0) } ?? before.name
        let email = try email.map { try EmailAddress($0) } ?? before.email
        let password = try password.map { try Password(new: $0) }
        var oldHash: String?
        if email != before.email || password != nil {
            oldHash = try await confirmed(currentPassword, of: before, from: address, at: now)
        }
        let newHash: String?
        if let password { newHash = try await passwords.hash(password) } else { newHash = nil }
        let confirmedHash = oldHash
        let user = try await database.withTransaction(once) { transaction in
            // What an admin decided while the passwords were compared stays.
            guard let current = try await users.find(before.id, in: transaction), current.disabledAt == nil else {
                throw ServiceError(.unauthenticated, "this account is gone", rule: "account-gone")
            }
            let user = User(
                id: before.id, email: email, name: name, role: current.role, createdAt: before.createdAt,
                disabledAt: nil)
            var changed: [String] = []
            if name != before.name { changed.append("name") }
            if email != before.email { changed.append("email") }
            if !changed.isEmpty {
                try await users.save(user, in: transaction)
                try await audit.record(
                    .accountChanged, on: user.id.text, for: principal, ["changed": changed.joined(separator: ",")],
                    at: now, in: transaction)
            }
            if let newHash, let confirmedHash {
                guard try await users.replacePasswordHash(of: user.id, confirmedHash, by: newHash, in: transaction)
                else {
                    throw ServiceError(
                        .conflict, "the password was changed elsewhere just now", rule: "password-changed",
                        nextStep: "Try again with the password that holds now.")
                }
                let ended = try await sessions.endAll(of: user.id, except: session, at: now, in: transaction)
                try await audit.record(
                    .passwordChanged, on: user.id.text, for: principal, ["ended-sessions": String(ended)], at: now,
                    in: transaction)
            }
            return user
        }
        watch.forgetAll()
        if newHash != nil { logger.notice("Changed password", metadata: ["user.id": "\(user.id)"]) }
        return user
    }

    /// Those that are open, the newest first.
    package func listSessions(for principal: Principal) async throws -> [LoginSession] {
        let now = clock.now()
        return try await database.read { try await sessions.list(of: principal.user, at: now, in: $0) }
    }

    /// Ends one of one's own sessions: what holds its tokens is out within seconds.
    @discardableResult
    package func endSession(
        _ id: SessionID, for principal: Principal, once: Once<SessionID> = .unkeyed
    ) async throws -> SessionID {
        try principal.requireSession()
        let now = clock.now()
        _ = try await database.withTransaction(once) { transaction in
            guard let session = try await sessions.find(id, in: transaction), session.user == principal.user,
                session.endedAt == nil
            else { throw ServiceError(.notFound, "there is no such session", field: "session") }
            try await sessions.end(id, at: now, in: transaction)
            try await audit.record(.sessionEnded, on: id.text, for: principal, at: now, in: transaction)
            return id
        }
        watch.forgetAll()
        return id
    }

    /// Ends all of one's own sessions but `kept`. Returns how many.
    @discardableResult
    package func endOtherSessions(
        keeping kept: SessionID?, for principal: Principal, once: Once<Int> = .unkeyed
    ) async throws -> Int {
        try principal.requireSession()
        let now = clock.now()
        let count = try await database.withTransaction(once) { transaction in
            let count = try await sessions.endAll(of: principal.user, except: kept, at: now, in: transaction)
            if count > 0 {
                try await audit.record(
                    .sessionEnded, on: principal.user.text, for: principal, ["sessions": String(count)], at: now,
                    in: transaction)
            }
            return count
        }
        watch.forgetAll()
        return count
    }

    /// The hash that the current password matches. Throws `invalidArgument` when it does not.
    private func confirmed(
        _ presented: String?, of user: User, from address: ClientAddress, at now: Timestamp
    ) async throws -> String {
        try await limiter.admit(user.email, from: address, at: now)
        let hash = try await database.read { try await users.passwordHash(of: user.id, in: $0) }
        let matches = try await passwords.matches(Password(presented: presented ?? ""), hash)
        guard matches, let hash else {
            throw ServiceError(
                .invalidArgument, "the current password is wrong", field: "current_password", rule: "credentials",
                nextStep: "Type the password that you log in with now.")
        }
        await limiter.forgive(user.email, from: address)
        return hash
    }
}
