package import BlockingIO
package import Domain
import Glibc

/// How much room the file system under a path has.
package struct DiskSpace: Sendable, Equatable {
    package let freeBytes: Int64
    package let totalBytes: Int64

    /// What a program without special rights may still use. Blocks.
    package init(at path: String) throws(ServiceError) {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else {
            throw ServiceError(
                .internalError, "cannot ask for the free space of \(path): \(String(cString: strerror(errno)))")
        }
        freeBytes = Int64(clamping: UInt64(facts.f_bavail) &* UInt64(facts.f_frsize))
        totalBytes = Int64(clamping: UInt64(facts.f_blocks) &* UInt64(facts.f_frsize))
    }

    package static func measure(at path: String, on pool: BlockingPool) async throws -> DiskSpace {
        try await pool.run { try DiskSpace(at: path) }
    }
}
