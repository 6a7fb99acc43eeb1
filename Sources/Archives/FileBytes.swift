import BlockingIO
import Domain
import Glibc

/// A file as it is on disk.
final class FileBytes: ByteSource {
    private let file: OpenFile

    init(_ path: String) throws {
        file = try OpenFile(path, flags: O_RDONLY)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try file.read(into: buffer)
    }
}
