import Artifacts
import Coordinator
import Database
import Domain
import Queue
import RESTAPI

extension CoordinatorCore {
    /// What has to work before this coordinator can do its work.
    func readiness() async -> [ReadinessCheck] {
        [
            await check("database") { try await Self.probe(database) },
            await check("blobs") { try await blobs.probe() },
            await check("queue") { _ = try await queue.count() },
        ]
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
