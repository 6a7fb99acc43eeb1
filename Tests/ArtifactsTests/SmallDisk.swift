import Foundation
import TestSupport
import Testing

/// A file system in memory that is soon full. Needs the right to mount; a failed mount fails the test.
func withSmallDisk(options: String, _ body: (_ path: String) async throws -> Void) async throws {
    try await withTemporaryDirectory { path in
        try #require(mount("tmpfs", path, "tmpfs", 0, options) == 0, "mount: \(String(cString: strerror(errno)))")
        do {
            try await body(path)
            umount2(path, 2)
        } catch {
            umount2(path, 2)
            throw error
        }
    }
}

/// The most memory that this process ever had.
func peakMemoryInBytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
}
