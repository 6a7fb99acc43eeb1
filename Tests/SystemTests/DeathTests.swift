import Foundation
import TestSupport
import Testing

/// The main job while a program dies, as by `kill -9`, at one of its steps and is started again: nothing is lost,
/// and nothing happens twice.
@Suite(.serialized) struct DeathTests {
    static let coordinatorSteps = [
        "edit-accepted", "before-grant-commit", "after-grant-commit", "offer-sent", "offer-accepted",
        "progress-received", "blobs-received", "completion-received", "before-completion-commit",
        "after-completion-commit", "before-release-commit", "after-release-commit", "desired-state-sent",
        "site-status-received",
    ]
    static let agentSteps = [
        "job-accepted", "workspace-ready", "task-started", "engine-ended", "result-uploaded", "completion-spooled",
        "serving-verified", "serving-fetched", "serving-treeBuilt", "serving-treesReady", "serving-generationBuilt",
        "serving-switched", "serving-probed",
    ]

    @Test("The coordinator dies at a step and the main job goes on", arguments: coordinatorSteps)
    func coordinatorDies(step: String) async throws {
        try await mainJob {
            try $0.startCoordinator(fault: step)
        } killing: {
            $0.coordinator
        }
    }

    @Test("The agent dies at a step and the main job goes on", arguments: agentSteps)
    func agentDies(step: String) async throws {
        try await mainJob {
            try $0.startAgent(fault: step)
        } killing: {
            $0.agent
        }
    }

    /// Prepares a site with everything alive, starts one program anew with a step to die at, and does the main job.
    private func mainJob(
        arm: (TestSystem) throws -> Void, killing victim: (TestSystem) -> RunningProgram?
    ) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            try system.startCoordinator()
            var client = APIClient(base: system.api)
            let session = try await client.send(
                "POST", "/api/v1/auth/register",
                ["email": "ann@example.org", "password": "correct horse battery", "name": "Ann"], expecting: [201])
            client.token = session["access_token"] as? String
            let api = client
            try await system.join()
            try system.startAgent()
            try await api.send(
                "POST", "/api/v1/sites", ["slug": "bakery", "name": "Bakery", "template": "bakery"], expecting: [201])
            try await system.until("version 1 to be served") { await system.visit("bakery.localhost")?.status == 200 }

            victim(system)?.stop()
            try arm(system)
            // When the answer was lost in the death, the same key gets it from whoever lives next.
            let edit = Task<Void, any Error> {
                _ = try await api.send(
                    "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Fresh at dawn\""],
                    expecting: [202])
            }
            try await system.until("the edit to be accepted") {
                let jobs = try? await Self.items(api.once, "/api/v1/jobs")
                return jobs?.isEmpty == false
            }
            try await system.until("the job to end") {
                guard let jobs = try? await Self.items(api.once, "/api/v1/jobs") else { return false }
                return jobs.allSatisfy {
                    ["succeeded", "failed", "dead", "cancelled"].contains($0["state"] as? String)
                }
            }
            try await edit.value
            let jobs = try await Self.items(api, "/api/v1/jobs")
            #expect(jobs.count == 1)
            #expect(jobs.allSatisfy { $0["state"] as? String == "succeeded" }, "\(jobs)")
            let promotion = Task<Void, any Error> {
                _ = try await api.send("POST", "/api/v1/sites/bakery/promote", ["version": 2], expecting: [201])
            }
            try await system.until("version 2 to be live") {
                await system.visit("bakery.localhost")?.body.contains("Fresh at dawn") == true
            }
            try await promotion.value
            try await system.until("the host to say so") {
                guard let site = try? await api.once.send("GET", "/api/v1/sites/bakery", expecting: [200]),
                    let serving = site["serving"] as? [[String: Any]]
                else { return false }
                return site["live_version"] as? Int == 2 && serving.allSatisfy { $0["state"] as? String == "applied" }
            }
            let versions = try await Self.items(api, "/api/v1/sites/bakery/versions")
            #expect(versions.compactMap { $0["number"] as? Int } == [2, 1])
            let releases = try await Self.items(api, "/api/v1/sites/bakery/releases")
            #expect(releases.compactMap { $0["version"] as? Int } == [2, 1])
            try system.reviveTheDead()
            #expect(system.deaths == 1, "the step was not reached")
        }
    }

    private static func items(_ api: APIClient, _ path: String) async throws -> [[String: Any]] {
        try await api.send("GET", path, expecting: [200])["items"] as? [[String: Any]] ?? []
    }
}
