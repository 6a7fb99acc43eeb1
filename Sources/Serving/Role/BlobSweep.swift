import Artifacts
import BlockingIO
import Domain
import Glibc

/// Deletes blobs that no tree is made of. Blocks.
///
/// A blob in use has more names than the one in the store, so the file system itself counts the references.
struct BlobSweep: Sendable {
    let blobs: DirectoryBlobStore
    /// Manifests of these have one name only, and stay.
    let kept: Set<ContentDigest>
    let grace: Duration

    /// Looks through one of the 256 folders and returns how many blobs went.
    func run(shard: Int) throws -> Int {
        let unused = try find(shard: shard)
        for blob in unused { try FarmFiles.removeFile(blob.path) }
        return unused.count
    }

    /// Those of one of the 256 folders that may go.
    func find(shard: Int) throws -> [(path: String, sizeInBytes: Int64)] {
        let prefix = Hexadecimal.text(of: [UInt8(shard)])
        guard let first = ContentDigest(prefix + String(repeating: "0", count: 62)) else { return [] }
        let folder = String(blobs.path(of: first).dropLast(65))
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var unused: [(path: String, sizeInBytes: Int64)] = []
        for name in try FarmFiles.names(in: folder) {
            guard let digest = ContentDigest(name), !kept.contains(digest) else { continue }
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1,
                Int64(now.tv_sec - status.st_ctim.tv_sec) >= grace.components.seconds
            else { continue }
            unused.append((path, Int64(status.st_size)))
        }
        return unused
    }
}
