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
            await check("database") { try await writeProbe.run() },
            await schema(),
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
            detail: client.isComplete
                ? "" : "\(Self.words(client.problem)): work is found in the database, within seconds")
    }

    private static func words(_ problem: RedisError?) -> String {
        problem?.isDenial == true ? "does not let us in, look at redis-password" : "out of reach"
    }

    /// Whether the tables are those that this program knows. Newer ones mostly have more only: a newer coordinator made them.
    private func schema() async -> ReadinessCheck {
        do {
            let pending = try await Migrator(Schema.migrations).pending(in: database)
            return ReadinessCheck(
                name: "schema", isReady: pending.isEmpty,
                detail: pending.isEmpty
                    ? "" : "the database has an older schema than this program; restart it, which brings it up to date")
        } catch let error as SQLError where error.kind == .schemaTooNew {
            return ReadinessCheck(
                name: "schema", isReady: false, detail: "a newer program took away what this one needs; install that")
        } catch {
            return ReadinessCheck(name: "schema", isReady: false, detail: "not known: the database cannot be read")
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
