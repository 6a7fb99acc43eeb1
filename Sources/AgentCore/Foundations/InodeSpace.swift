package import Domain
import Glibc

/// How many more files the file system under a path can hold.
package struct InodeSpace: Sendable, Equatable {
    package let free: Int64
    /// 0 on file systems that do not count them.
    package let total: Int64

    /// Blocks, as long as one system call does.
    package init(at path: String) throws(ServiceError) {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else {
            throw ServiceError(
                .internalError, "cannot ask for the free files of \(path): \(String(cString: strerror(errno)))")
        }
        free = Int64(clamping: UInt64(facts.f_favail))
        total = Int64(clamping: UInt64(facts.f_files))
    }

    /// Less than 2 % and fewer than 10,000 are left.
    package var isShort: Bool { total > 0 && free < 10_000 && free < total / 50 }
}
