import BlockingIO
import CLinux
import Domain
import Glibc

/// Looks at the directory of a zip file before anybody believes it. Blocks.
enum ZipDirectoryScan {
    private static let headerSize = 46
    private static let signature: [UInt8] = [0x50, 0x4b, 0x01, 0x02]
    private static let windowSize = 256 << 10

    /// Counts what could be an entry of a directory, anywhere in the file, since a file can have several ends; and refuses
    /// what libarchive does not show: pipes, and names with a zero byte, of which it sees only the part before.
    static func check(_ file: OpenFile, mostEntries: Int) throws {
        var window = [UInt8](repeating: 0, count: windowSize)
        var kept = 0
        var entries = 0
        while true {
            let count = try window.withUnsafeMutableBytes {
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[kept...]))
            }
            let filled = kept + count
            let isLast = filled < windowSize
            // A header and the longest name that is looked at are within the window, or wait for the next one.
            let end = isLast ? filled : filled - headerSize - SitePath.maximumNameInArchive
            var position = 0
            try window.withUnsafeBytes { bytes in
                while let found = find(in: bytes, from: position, to: filled), found < end {
                    entries += 1
                    position = found + 1
                    try checkEntry(of: bytes, at: found, filled: filled)
                }
            }
            guard entries <= mostEntries else {
                throw ServiceError(
                    .validationFailed, "the archive has more than \(mostEntries) entries", field: "archive",
                    rule: "file-count")
            }
            if isLast { return }
            window.removeSubrange(0..<end)
            kept = window.count
            window.append(contentsOf: repeatElement(0, count: end))
        }
    }

    private static func checkEntry(of bytes: UnsafeRawBufferPointer, at header: Int, filled: Int) throws {
        guard header + headerSize <= filled else { return }
        // Made on Unix; the type is in the upper half of the attributes. libarchive tells all others but this one.
        guard bytes[header + 5] != 3 || bytes[header + 41] & 0xf0 != 0x10 else {
            throw ServiceError.archive(
                "archive-fifo", "a named pipe is in the archive", nextStep: "Send plain files and folders only.")
        }
        let length = Int(bytes[header + 28]) | Int(bytes[header + 29]) << 8
        let start = header + headerSize
        let name = bytes[start..<min(start + min(length, SitePath.maximumNameInArchive), filled)]
        guard !name.contains(0) else {
            throw ServiceError(
                .validationFailed, "a name in the archive has a zero byte", field: "path", rule: "path-control-byte")
        }
    }

    private static func find(in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int? {
        guard start < end else { return nil }
        let found = memmem(bytes.baseAddress! + start, end - start, signature, signature.count)
        return found.map { UnsafeRawPointer($0) - bytes.baseAddress! }
    }
}

extension SitePath {
    /// No longer name is looked at: it would be refused for its length.
    fileprivate static let maximumNameInArchive = 4_097
}
