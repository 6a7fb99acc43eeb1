import Database
import Domain
import Logging
import Persistence

/// Keeps what hosts say of themselves.
struct HostWords: Sendable {
    let database: any SQLDatabase
    let stores: Stores
    let logger: Logger

    func note(_ condition: HostCondition, of host: HostID, epoch: Int64) async throws {
        try await database.withTransaction {
            try await stores.hostWords.note(condition, of: host, epoch: epoch, in: $0)
        }
        guard condition.level == .bad else { return }
        logger.warning("A host is not well", metadata: ["host.id": "\(host)", "problem": "\(condition.problem)"])
    }

    func note(_ report: UpgradeReport, of host: HostID) async throws {
        try await database.withTransaction { try await stores.hostWords.note(report, of: host, in: $0) }
        logger.notice(
            "A host said what became of its upgrade",
            metadata: [
                "host.id": "\(host)", "outcome": "\(report.outcome.rawValue)", "detail": "\(report.detail)",
            ])
    }
}
