import Coordinator
import Domain
import HTTPTypes

/// When backups were made, and when one was last seen to be good.
struct BackupRoutes {
    let backups: BackupRecords

    private static let run = ObjectBody<BackupRun>(
        "BackupRun",
        [
            .init("id", .text) { .string($0.id.text) },
            .init("kind", .words(BackupRun.Kind.allCases.map(\.rawValue))) { .string($0.kind.rawValue) },
            .init("good", .boolean) { .boolean($0.isGood) },
            .init("started_at", .time) { .time($0.startedAt) },
            .init("finished_at", .time) { .time($0.finishedAt) },
            .init("place", .text) { .string($0.place) },
            .init("name", .text, "Of the backup in its place.") { .string($0.name) },
            .init("size_bytes", .count) { .integer($0.sizeInBytes) },
            .init("rows", .count) { .count($0.rows) },
            .init("blobs", .count) { .count($0.blobs) },
            .init("detail", .text) { .string($0.detail) },
        ])

    private static let table = ObjectBody<BackupRecords.View>(
        "Backups",
        [
            .init("last_backup_at", .nullable(.time)) { .optional($0.lastBackup?.finishedAt, JSONValue.time) },
            .init("last_proven_restore_at", .nullable(.time), "When a backup was last restored to see that it can be.")
            {
                .optional($0.lastProvenRestore?.finishedAt, JSONValue.time)
            },
            .init("items", .array(run.schema), "Newest first, 100 at most.") { .array($0.runs.map(run.json)) },
        ])

    var routes: [APIRoute] {
        [
            APIRoute(
                .get, "/api/v1/admin/backups", "Backups, and when a restore was last proven", feature: "Backups",
                access: .admin, content: .json(Self.table.schema)
            ) { request in
                .json(Self.table.json(try await backups.view(for: try request.principal)))
            }
        ]
    }
}
