import Artifacts
import Coordinator
import Database
import Domain
import Persistence
import RESTAPI
import Redis

extension CoordinatorCore {
    /// What has to work before this coordinator can do its work.
    func readiness() async -> [ReadinessCheck] {
        [
            await check("database") { try await Self.probe(database) },
            await check("blobs") { try await blobs.probe() },
            memory,
            await brakes(),
            await backups(),
        ] + (hints.redis.map { [redis($0)] } ?? [])
    }

    /// Without Redis everything works, only later: that is worth saying, and no reason to send people elsewhere.
    private func redis(_ client: RedisClient) -> ReadinessCheck {
        ReadinessCheck(
            name: "redis", isReady: true,
            detail: client.isComplete ? "" : "out of reach: work is found in the database, within seconds")
    }

    /// Whether the database answers, and takes writes.
    private static func probe(_ database: any SQLDatabase) async throws {
        try await database.withTransaction(on: .only([])) { transaction in
            _ = try await transaction.query("SELECT 1 AS one")
        }
    }

    /// A few words without names or addresses: everybody may read them.
    private static func reason(_ error: any Error) -> String {
        switch (error as? SQLError)?.kind {
        case .readOnly: "takes no writes"
        case .accessDenied: "does not let us in"
        case .storageFull: "is full"
        case .timeout: "is too busy"
        default: "does not answer"
        }
    }

    /// In recovery the coordinator answers questions, and nothing else.
    private var memory: ReadinessCheck {
        let reason = services.recovery.reason
        return ReadinessCheck(name: "recovery", isReady: reason == nil, detail: reason ?? "")
    }

    /// A brake is a note to a person; the rest goes on.
    private func brakes() async -> ReadinessCheck {
        let engaged = (try? await services.brakes.list()) ?? []
        return ReadinessCheck(
            name: "brakes", isReady: true,
            detail: engaged.map { "\($0.name): \($0.detail)" }.joined(separator: " "))
    }

    /// How old the last backup is, and the last proof that one can be restored; a note to a person.
    private func backups() async -> ReadinessCheck {
        ReadinessCheck(
            name: "backups", isReady: true, detail: (try? await services.backups.words()) ?? "not known")
    }

    private func check(_ name: String, _ body: () async throws -> Void) async -> ReadinessCheck {
        do {
            try await body()
            return ReadinessCheck(name: name, isReady: true, detail: "")
        } catch let error as ServiceError {
            return ReadinessCheck(name: name, isReady: false, detail: error.message)
        } catch {
            return ReadinessCheck(name: name, isReady: false, detail: Self.reason(error))
        }
    }
}
