import AgentCore
import Artifacts
import BlockingIO
package import Domain
import Glibc
import NIOCore

/// A file on disk that is not what its version says.
package struct TreeDamage: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case missing
        case changed
        /// It is in the tree and not in the version.
        case added
    }

    package let tree: ContentDigest
    package let path: String
    package let kind: Kind

    package init(tree: ContentDigest, path: String, kind: Kind) {
        self.tree = tree
        self.path = path
        self.kind = kind
    }
}

/// Reads trees again as they are served, and mends them.
struct TreeVerifier: Sendable {
    let layout: ServingLayout
    let blobs: DirectoryBlobStore
    let transfer: any BlobTransfer
    let pool: BlockingPool

    /// Hashes every file of a tree. Takes as long as reading it does.
    func damage(in tree: ContentDigest) async throws -> [TreeDamage] {
        let manifest = try await blobs.manifest(tree)
        let folder = layout.tree(tree)
        var damage: [TreeDamage] = []
        for entry in manifest.entries {
            try Task.checkCancellation()
            let kind = try await pool.run { try Self.kind(of: entry, in: folder) }
            if let kind { damage.append(TreeDamage(tree: tree, path: entry.path.text, kind: kind)) }
        }
        let listed = Set(manifest.entries.map(\.path.text))
        let found = try await pool.run { try Self.files(in: folder) }
        for path in found.sorted() where !listed.contains(path) {
            damage.append(TreeDamage(tree: tree, path: path, kind: .added))
        }
        return damage
    }

    private static func kind(of entry: Manifest.Entry, in folder: String) throws -> TreeDamage.Kind? {
        let file: OpenFile
        do {
            file = try OpenFile("\(folder)/\(entry.path)", flags: O_RDONLY | O_NONBLOCK)
        } catch let error as SystemCallError where error.code == ENOENT || error.code == ENOTDIR {
            return .missing
        } catch let error as SystemCallError where error.code == ELOOP {
            return .changed
        }
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG, Int64(status.st_size) == entry.sizeInBytes else { return .changed }
        var hasher = ContentHasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while case let count = try file.read(into: buffer), count > 0 {
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return hasher.finish() == entry.digest ? nil : .changed
    }

    /// The paths of everything in `folder` that is no folder.
    private static func files(in folder: String) throws -> [String] {
        var found: [String] = []
        var pending = [""]
        while let path = pending.popLast() {
            let full = path.isEmpty ? folder : "\(folder)/\(path)"
            for name in try FarmFiles.names(in: full) {
                let child = path.isEmpty ? name : "\(path)/\(name)"
                var status = stat()
                guard lstat("\(folder)/\(child)", &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR { pending.append(child) } else { found.append(child) }
            }
        }
        return found
    }

    /// Puts right what ``damage(in:)`` found. Each file is replaced by one rename; a damaged blob is fetched again first.
    func mend(_ damage: [TreeDamage], in tree: ContentDigest, of site: SiteID) async throws {
        let manifest = try await blobs.manifest(tree)
        let folder = layout.tree(tree)
        let broken = damage.filter { $0.kind != .added }
        let entries = try broken.compactMap { manifest.entry(at: try SitePath($0.path)) }
        for digest in try await blobs.damaged(among: Array(Set(entries.map(\.digest)))) {
            try await blobs.unlink(digest)
        }
        let missing = try await blobs.missing(among: Array(Set(entries.map(\.digest))))
        if !missing.isEmpty { _ = try await transfer.fetch(missing, for: .site(site), into: blobs) }
        for entry in entries {
            let temporary = "\(folder)/.mended"
            try await pool.run { try FarmFiles.removeFile(temporary) }
            try await blobs.link(entry.digest, to: temporary)
            try await pool.run {
                let path = "\(folder)/\(entry.path)"
                var parent = folder
                for part in entry.path.components.dropLast() {
                    parent += "/\(part)"
                    try FarmFiles.ensureFolder(parent)
                }
                try SystemCallError.check("rename", on: path) { rename(temporary, path) }
                try FarmFiles.removeFile(temporary)
            }
        }
        for extra in damage where extra.kind == .added {
            try await pool.run { try FarmFiles.removeFile("\(folder)/\(extra.path)") }
        }
    }
}
