import Domain
import Foundation

/// Where a coordinator keeps everything.
struct StateFolder: Sendable {
    let path: String

    var database: String { path + "/pagewright.sqlite" }
    var blobs: String { path + "/blobs" }
    var authority: String { path + "/ca" }
    /// What must not be in a backup: it tells a restored database from the newest one.
    var memory: String { path + "/not-in-backups" }
    var uploads: String { path + "/uploads" }
    /// Blobs on their way to S3.
    var spool: String { path + "/spool" }
    var tokenKey: String { path + "/access-token.key" }

    /// Makes the folder, readable for its owner only.
    func create() throws {
        for folder in [path, uploads] {
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
        guard FileManager.default.fileExists(atPath: database) else {
            throw ServiceError(
                .failedPrecondition, "there is no coordinator in \(path)",
                nextStep: "Start it first: pagewright-coordinator serve --state \(path).")
        }
    }
}
