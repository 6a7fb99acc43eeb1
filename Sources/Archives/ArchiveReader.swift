package import Artifacts
package import BlockingIO
package import Domain
import NIOCore
import Synchronization

/// Imports a site from a .tar.gz, .tar or .zip file of a stranger.
package struct ArchiveReader: Sendable {
    private let pool: BlockingPool

    package init(pool: BlockingPool) {
        self.pool = pool
    }

    /// Reads the archive at `path` into `batch`, with memory that does not depend on it. It is for the caller to commit the
    /// batch, or to discard it after an error.
    ///
    /// A folder that holds everything, the index page too, is taken away. Hidden files are left out with a warning. All
    /// else that is not a plain file or folder with a proper name, within `limits`, throws `validationFailed` with the
    /// rule that it broke, as soon as it is seen.
    package func read(
        archiveAt path: String, into batch: any BlobBatch, limits: Manifest.Limits
    ) async throws -> ImportedTree {
        let walk = try await run { Walk(Mutex(try ArchiveWalk(archiveAt: path, limits: limits))) }
        var entries: [Manifest.Entry] = []
        var file: (path: SitePath, writer: any BlobWriter)?
        while true {
            try Task.checkCancellation()
            let events = try await run { try walk.next() }
            if events.isEmpty { break }
            for event in events {
                switch event {
                case .begin(let path): file = (path, try await batch.makeWriter())
                case .piece(let piece): try await file!.writer.write(piece)
                case .end:
                    let stored = try await file!.writer.finish(expecting: nil)
                    entries.append(
                        Manifest.Entry(path: file!.path, sizeInBytes: stored.sizeInBytes, digest: stored.digest))
                }
            }
        }
        return try Self.tree(of: entries, walk.leftOut, limits)
    }

    private static func tree(
        of entries: [Manifest.Entry], _ leftOut: LeftOutFiles, _ limits: Manifest.Limits
    ) throws -> ImportedTree {
        var entries = entries
        var leftOut = leftOut
        let folder = folderOfEverything(entries)
        if folder != nil {
            entries = try entries.map {
                Manifest.Entry(
                    path: try $0.path.withoutFirstFolder(), sizeInBytes: $0.sizeInBytes, digest: $0.digest)
            }
        }
        for entry in entries where entry.path.isHidden { leftOut.add(entry.path) }
        entries.removeAll { $0.path.isHidden }
        guard !entries.isEmpty else {
            throw ServiceError.archive("archive-empty", "the archive has no file for the site")
        }
        return ImportedTree(
            entries: try Manifest(entries, limits: limits).entries, findings: leftOut.findings, strippedFolder: folder)
    }

    /// The only folder at the top, when all files are below it and one of them is its index page.
    private static func folderOfEverything(_ entries: [Manifest.Entry]) -> String? {
        guard let folder = entries.first?.path.components.first.map(String.init) else { return nil }
        let prefix = "\(folder)/"
        guard entries.allSatisfy({ $0.path.text.utf8.starts(with: prefix.utf8) }),
            entries.contains(where: { $0.path.text == "\(prefix)index.html" })
        else { return nil }
        return folder
    }

    private func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await pool.run(body)
        } catch let error as SystemCallError {
            throw ServiceError(.internalError, "cannot read the archive", cause: error)
        }
    }
}

/// A walk that is continued in one job of the pool after the other.
private final class Walk: Sendable {
    private let walk: Mutex<ArchiveWalk>

    init(_ walk: consuming sending Mutex<ArchiveWalk>) {
        self.walk = walk
    }

    func next() throws -> [ArchiveWalk.Event] {
        try walk.withLock { try $0.next() }
    }

    var leftOut: LeftOutFiles { walk.withLock { $0.leftOut } }
}
