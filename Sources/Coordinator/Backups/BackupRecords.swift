package import Database
package import Domain
import Metrics
package import Persistence
import Telemetry

/// Remembers backups and drills, and says when a restore was last proven.
package struct BackupRecords: Sendable {
    /// What an operator wants to know.
    package struct View: Sendable {
        package let lastBackup: BackupRun?
        /// The last drill that restored a backup whole.
        package let lastProvenRestore: BackupRun?
        /// Newest first.
        package let runs: [BackupRun]
    }

    private let database: any SQLDatabase
    private let stores: Stores
    private let feed: EventFeed
    private let clock: any WallClock

    package init(database: any SQLDatabase, stores: Stores, feed: EventFeed, clock: any WallClock) {
        self.database = database
        self.stores = stores
        self.feed = feed
        self.clock = clock
    }

    package func view(for principal: Principal) async throws -> View {
        try principal.requireAdmin()
        return try await view()
    }

    package func view() async throws -> View {
        let view = try await database.read { transaction in
            View(
                lastBackup: try await stores.backups.newestGood(.backup, in: transaction),
                lastProvenRestore: try await stores.backups.newestGood(.drill, in: transaction),
                runs: try await stores.backups.list(limit: 100, in: transaction))
        }
        publish(view.lastBackup)
        publish(view.lastProvenRestore)
        return view
    }

    /// A few words for people, such as `last proven restore: 3 h ago`.
    package func words() async throws -> String {
        let view = try await view()
        let now = clock.now()
        func ago(_ run: BackupRun?) -> String {
            guard let run else { return "never" }
            let minutes = (now - run.finishedAt).components.seconds / 60
            return switch minutes {
            case ..<120: "\(max(0, minutes)) min ago"
            case ..<(48 * 60): "\(minutes / 60) h ago"
            default: "\(minutes / 1440) days ago"
            }
        }
        return "last backup: \(ago(view.lastBackup)); last proven restore: \(ago(view.lastProvenRestore))"
    }

    package func record(_ run: BackupRun) async throws {
        let now = clock.now()
        try await database.withTransaction { transaction in
            try await stores.backups.insert(run, in: transaction)
            try await feed.append(
                .backupFinished, owner: nil, site: nil,
                body: [
                    "kind": .text(run.kind.rawValue), "good": .boolean(run.isGood), "name": .text(run.name),
                    "place": .text(run.place), "detail": .text(run.detail),
                ], at: now, in: transaction)
        }
        if run.isGood { publish(run) }
        feed.announce()
    }

    /// What failed before it could say anything of itself.
    package func record(failureOf kind: BackupRun.Kind, place: String, since start: Timestamp, _ error: any Error) async
    {
        let text = (error as? ServiceError)?.message ?? "\(error)"
        try? await record(
            BackupRun(
                id: BackupRunID(at: start), kind: kind, isGood: false, startedAt: start, finishedAt: clock.now(),
                place: place, name: "", sizeInBytes: 0, rows: 0, blobs: 0, detail: text))
    }

    /// Whether it is time for another one.
    package func isDue(_ kind: BackupRun.Kind, every interval: Duration) async throws -> Bool {
        let newest = try await database.read { try await stores.backups.newestStart(of: kind, in: $0) }
        return newest.map { clock.now() - $0 >= interval } ?? true
    }

    private func publish(_ run: BackupRun?) {
        guard let run else { return }
        let name: MetricName = run.kind == .backup ? .backupFinishedAt : .restoreProvenAt
        MetricsSystem.factory.set(name, to: Int(run.finishedAt.millisecondsSinceEpoch / 1000))
    }
}
