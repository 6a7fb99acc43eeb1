import BlockingIO
import Glibc
import TestSupport
import Testing

@Suite("A flush of several files")
struct FlushTests {
    @Test("Takes any number of files and folders")
    func many() async throws {
        try await withTemporaryDirectory { path in
            var files = [try OpenFile(folder: path)]
            for number in 0..<20 {
                files.append(try OpenFile("\(path)/\(number)", flags: O_WRONLY | O_CREAT | O_EXCL))
            }
            try Flush.all(files)
            try Flush.all([])
        }
    }

    @Test("Says so when one of them cannot be flushed")
    func failure() async throws {
        try await withTemporaryDirectory { path in
            let folder = try OpenFile(folder: path)
            // Nothing to be made durable.
            let device = try OpenFile("/dev/null", flags: O_WRONLY)
            #expect(throws: SystemCallError.self) { try Flush.all([folder, device, folder]) }
        }
    }
}
