import BlockingIO
package import Domain
import Glibc

/// The age of a blob is that of its inode's last change: nobody can set it, and putting the blob again makes it young.
/// (The modification time stands for the content.)
extension DirectoryBlobStore: BlobInventory {
    package var address: String { "directory:\(directory)" }

    /// Less room than this is none: a version has files of some size.
    private static let leastRoomInBytes: UInt64 = 1 << 20

    package func probe() async throws {
        let root = root
        let hasRoom = try await pool.run("cannot reach the blob store \(directory)") {
            _ = try root.status()
            // A folder that was unmounted or made read-only below us.
            _ = try OpenFile(folder: "incoming", in: root)
            if faccessat(root.descriptor, ".", W_OK, 0) != 0 { throw SystemCallError("access", on: root.path) }
            var facts = statvfs()
            try SystemCallError.check("fstatvfs", on: root.path) { fstatvfs(root.descriptor, &facts) }
            // Some file systems do not count files.
            return UInt64(facts.f_bavail) * UInt64(facts.f_frsize) >= Self.leastRoomInBytes
                && (facts.f_files == 0 || facts.f_favail > 0)
        }
        guard hasRoom else {
            throw ServiceError(
                .storageFull, "the disk of the blobs is full", field: "blobs", rule: "blobs-full",
                nextStep: "Make room on the disk of \(directory), or name another place with --blobs.")
        }
    }

    package func forEachPage(_ body: ([ListedBlob]) async throws -> Void) async throws {
        let root = root
        for shard in 0..<256 {
            try Task.checkCancellation()
            let page = try await pool.run("cannot list the blobs") {
                try Self.list(Hexadecimal.text(of: [UInt8(shard)]), in: root)
            }
            if !page.isEmpty { try await body(page) }
        }
    }

    private static func list(_ shard: String, in root: OpenFile) throws -> [ListedBlob] {
        let folder: OpenFile
        do {
            folder = try OpenFile(folder: shard, in: root)
        } catch let error as SystemCallError where error.code == ENOENT {
            return []
        }
        let now = realTime()
        return try FileTree.names(in: folder).sorted().compactMap { name in
            guard let digest = ContentDigest(name), digest.shard == shard, let status = try status(of: digest, in: root)
            else { return nil }
            return ListedBlob(digest: digest, sizeInBytes: Int64(status.st_size), age: age(status, now: now))
        }
    }

    package func remove(
        _ digests: [ContentDigest], olderThan age: Duration, order: RemovalOrder
    ) async throws -> BlobRemoval {
        let root = root
        return try await pool.run("cannot delete blobs") {
            let lock = try Self.lockForRemoval(in: root)
            var removal = BlobRemoval()
            for digest in digests {
                // Looked at with the lock: whoever decides anew what may go has to get it first.
                try order.requireValid()
                guard let status = try Self.status(of: digest, in: root),
                    Self.age(status, now: Self.realTime()) >= age
                else { continue }
                if unlinkat(root.descriptor, digest.relativePath, 0) == 0 {
                    removal.removed.add(Int64(status.st_size))
                } else if errno != ENOENT {
                    throw SystemCallError("unlink", on: "\(root.path)/\(digest.relativePath)")
                }
            }
            try lock.close()
            return removal
        }
    }

    /// Held while files are deleted, by one process at a time; it ends with the process.
    private static func lockForRemoval(in root: OpenFile) throws -> OpenFile {
        let lock = try OpenFile(folder: ".", in: root)
        for _ in 0..<50 {
            if flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 { return lock }
            guard errno == EWOULDBLOCK || errno == EINTR else { throw SystemCallError("flock", on: root.path) }
            usleep(100_000)
        }
        throw ServiceError(
            .unavailable, "another process deletes blobs in \(root.path)", rule: "removal-busy",
            nextStep: "Wait until it is done, or end it, and try again.")
    }

    package func removeUnfinished(olderThan age: Duration, isDryRun: Bool) async throws -> BlobCount {
        let root = root
        return try await pool.run("cannot look for unfinished uploads") {
            try IncomingFolder.removeAbandoned(in: root, isDryRun: isDryRun)
        }
    }

    private static func realTime() -> timespec {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now
    }

    private static func age(_ status: stat, now: timespec) -> Duration {
        .seconds(now.tv_sec - status.st_ctim.tv_sec) + .nanoseconds(now.tv_nsec - status.st_ctim.tv_nsec)
    }

    /// Makes a blob young, because somebody relies on it again.
    static func refresh(_ digest: ContentDigest, in root: OpenFile) {
        let times = [digest.fingerprintTime, digest.fingerprintTime]
        // One that is gone is put anew by the caller, who looks after this; one of another user's stays as old as it is.
        _ = utimensat(root.descriptor, digest.relativePath, times, AT_SYMLINK_NOFOLLOW)
    }
}
