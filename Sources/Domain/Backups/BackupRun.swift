/// Names one backup, or one drill.
package struct BackupRunID: Identifier {
    package static let prefix = "backup"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}

/// A backup that was made, or a drill that restored one to see that it can be.
package struct BackupRun: Sendable, Equatable, Identifiable {
    package enum Kind: String, Sendable, CaseIterable {
        case backup
        case drill
    }

    package let id: BackupRunID
    package let kind: Kind
    package let isGood: Bool
    package let startedAt: Timestamp
    package let finishedAt: Timestamp
    /// Where it is, without secrets.
    package let place: String
    /// The name of the backup in that place; empty when there was none.
    package let name: String
    package let sizeInBytes: Int64
    package let rows: Int
    package let blobs: Int
    /// What went wrong, or what was seen; a sentence.
    package let detail: String

    package init(
        id: BackupRunID, kind: Kind, isGood: Bool, startedAt: Timestamp, finishedAt: Timestamp, place: String,
        name: String, sizeInBytes: Int64, rows: Int, blobs: Int, detail: String
    ) {
        self.id = id
        self.kind = kind
        self.isGood = isGood
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.place = place
        self.name = name
        self.sizeInBytes = sizeInBytes
        self.rows = rows
        self.blobs = blobs
        self.detail = detail
    }
}
