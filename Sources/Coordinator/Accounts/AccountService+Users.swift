import Database
package import Domain
import Logging
import Persistence

/// What admins do with people.
extension AccountService {
    /// Newest first.
    package func listUsers(
        matching word: String = "", page: PageRequest, for principal: Principal
    ) async throws -> Page<User> {
        try principal.requireAdmin()
        return try await database.read {
            try await users.list(matching: word.trimmed.lowercased(), page: page, in: $0)
        }
    }

    package func findUser(_ id: UserID, for principal: Principal) async throws -> User {
        try principal.requireAdmin()
        return try await database.read { transaction in
            guard let user = try await users.find(id, in: transaction) else { throw Self.noUser(id) }
            return user
        }
    }

    /// Changes what is not `nil`. Whoever is changed has to log in again, and cannot while disabled; their sites stay as
    /// they are. An admin cannot change themselves, so there is always one left.
    package func changeUser(
        _ id: UserID, role: User.Role? = nil, isDisabled: Bool? = nil, for principal: Principal,
        once: Once<User> = .unkeyed
    ) async throws -> User {
        try principal.requireAdmin()
        guard id != principal.user else {
            throw ServiceError(
                .failedPrecondition, "admins cannot change their own role or lock themselves out", rule: "own-account",
                nextStep: "Ask another admin.")
        }
        let now = clock.now()
        let user = try await database.withTransaction(once) { transaction in
            guard let before = try await users.find(id, in: transaction) else { throw Self.noUser(id) }
            let wasDisabled = before.disabledAt != nil
            let user = User(
                id: id, email: before.email, name: before.name, role: role ?? before.role, createdAt: before.createdAt,
                disabledAt: isDisabled ?? wasDisabled ? before.disabledAt ?? now : nil)
            guard user != before else { return before }
            try await users.save(user, in: transaction)
            guard try await users.countAdmins(in: transaction) > 0 else {
                throw ServiceError(.failedPrecondition, "an installation needs an admin", rule: "last-admin")
            }
            try await sessions.endAll(of: id, at: now, in: transaction)
            if user.role != before.role {
                try await audit.record(
                    .roleChanged, on: id.text, for: principal, ["role": user.role.rawValue], at: now, in: transaction)
            }
            if (user.disabledAt != nil) != wasDisabled {
                try await audit.record(
                    wasDisabled ? .accountEnabled : .accountDisabled, on: id.text, for: principal, at: now,
                    in: transaction)
            }
            return user
        }
        watch.forgetAll()
        logger.notice(
            "Changed a user",
            metadata: [
                "user.id": "\(id)", "user.role": "\(user.role.rawValue)", "disabled": "\(user.disabledAt != nil)",
            ])
        return user
    }

    private static func noUser(_ id: UserID) -> ServiceError {
        ServiceError(.notFound, "there is no user \(id)", field: "user")
    }
}
