import Artifacts
import Coordinator
import Domain
import Queue
import RESTAPI

extension CoordinatorCore {
    /// What has to work before this coordinator can do its work.
    func readiness() async -> [ReadinessCheck] {
        [
            await check("database") { _ = try await services.events.latestID() },
            await check("blobs") { try await blobs.probe() },
            await check("queue") { _ = try await queue.count() },
            memory,
            await brakes(),
        ]
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
