import Artifacts
import BlockingIO
import Domain
import Glibc
import NIOCore

/// A file of a workspace that was listed before and is read again.
enum WorkspaceFile {
    private static let pieceSize = 256 << 10

    /// Throws when the content is not what it was when it was listed.
    static func copy(
        _ entry: Manifest.Entry, from workspace: Workspace, into batch: any BlobBatch, pool: BlockingPool
    ) async throws {
        let file = try await pool.run { try open(entry.path, in: workspace.site) }
        let writer = try await batch.makeWriter()
        while true {
            try Task.checkCancellation()
            let piece = try await pool.run {
                var buffer = [UInt8](repeating: 0, count: pieceSize)
                let count = try file.read(into: &buffer)
                return ByteBuffer(bytes: buffer[..<count])
            }
            if piece.readableBytes == 0 { break }
            try await writer.write(piece)
        }
        _ = try await writer.finish(expecting: entry.digest)
    }

    private static func open(_ path: SitePath, in site: String) throws -> BeneathFile {
        var folder = try BeneathFile(root: site)
        let components = path.components.map(String.init)
        for component in components.dropLast() {
            folder = try BeneathFile(component, in: folder, flags: O_RDONLY | O_DIRECTORY)
        }
        let file = try BeneathFile(components[components.count - 1], in: folder, flags: O_RDONLY | O_NONBLOCK)
        guard try file.status().st_mode & S_IFMT == S_IFREG else {
            throw WorkspaceCollector.Refusal(rule: "file-type", message: "\"\(path)\" is not a plain file")
        }
        return file
    }
}
