import Domain
import Foundation

/// Where a coordinator keeps everything.
struct StateFolder: Sendable {
    let path: String
    /// Where the keys are that all coordinators of a fleet share: the authority's, the one that signs versions, and the
    /// one for access tokens.
    let secrets: String

    init(path: String, secrets: String? = nil) {
        self.path = path
        self.secrets = secrets ?? path
    }

    var database: String { path + "/pagewright.sqlite" }
    var blobs: String { path + "/blobs" }
    var authority: String { secrets + "/ca" }
    /// What must not be in a backup: it tells a restored database from the newest one.
    var memory: String { path + "/not-in-backups" }
    var uploads: String { path + "/uploads" }
    /// Blobs on their way to S3.
    var spool: String { path + "/spool" }
    /// Opens the sealed keys of models.
    var sealingKey: String { secrets + "/engine-keys.key" }
    /// Backups on their way.
    var backups: String { path + "/backup-work" }
    var tokenKey: String { secrets + "/access-token.key" }

    /// Makes the folder, readable for its owner only.
    func create() throws {
        for folder in [path, uploads, secrets] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw ServiceError(
                    .failedPrecondition, "cannot make the folder \(folder)",
                    nextStep: "Choose a folder that this user may write to, with --state.", cause: error)
            }
        }
    }

    func requireExisting() throws {
        let files = FileManager.default
        guard files.fileExists(atPath: tokenKey) || files.fileExists(atPath: database) else {
            throw ServiceError(
                .failedPrecondition, "there is no coordinator in \(path)",
                nextStep: "Start it first: pagewright-coordinator serve --state \(path).")
        }
    }
}
