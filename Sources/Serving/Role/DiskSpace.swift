import Glibc

/// How much room a disk has.
struct DiskSpace {
    let freeBytes: Int64
    let totalBytes: Int64
    let freeFiles: Int64
    let totalFiles: Int64

    init?(at path: String) {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return nil }
        freeBytes = Int64(facts.f_bavail) * Int64(facts.f_frsize)
        totalBytes = Int64(facts.f_blocks) * Int64(facts.f_frsize)
        freeFiles = Int64(facts.f_favail)
        totalFiles = Int64(facts.f_files)
    }

    /// Less than 5 % and less than 5 GiB, or hardly a file more.
    var isNearlyFull: Bool {
        (freeBytes < 5 << 30 && freeBytes < totalBytes / 20) || (totalFiles > 0 && freeFiles < totalFiles / 20)
    }

    /// Nothing can be published any more.
    var isFull: Bool { freeBytes < 32 << 20 || (totalFiles > 0 && freeFiles < 100) }
}
