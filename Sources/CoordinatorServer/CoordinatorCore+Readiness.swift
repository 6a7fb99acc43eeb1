import Artifacts
import Coordinator
import Domain
import RESTAPI
import Redis

extension CoordinatorCore {
    /// What has to work before this coordinator can do its work.
    func readiness() async -> [ReadinessCheck] {
        [
            await check("database") { _ = try await services.events.latestID() },
            await check("blobs") { try await blobs.probe() },
        ] + (hints.redis.map { [redis($0)] } ?? [])
    }

    /// Without Redis everything works, only later: that is worth saying, and no reason to send people elsewhere.
    private func redis(_ client: RedisClient) -> ReadinessCheck {
        ReadinessCheck(
            name: "redis", isReady: true,
            detail: client.isComplete ? "" : "out of reach: work is found in the database, within seconds")
    }

    private func check(_ name: String, _ body: () async throws -> Void) async -> ReadinessCheck {
        do {
            try await body()
            return ReadinessCheck(name: name, isReady: true, detail: "")
        } catch let error as ServiceError {
            return ReadinessCheck(name: name, isReady: false, detail: error.message)
        } catch {
            return ReadinessCheck(name: name, isReady: false, detail: "does not answer")
        }
    }
}
