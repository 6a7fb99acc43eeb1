import Artifacts
import BlockingIO
import Domain
import Glibc

/// The folder of one attempt: the site as a private copy, the engine's own state, the log. Every call blocks.
struct Workspace: Sendable {
    let path: String
    /// What the sandbox may write.
    var site: String { path + "/site" }
    /// What the engine keeps for itself.
    var state: String { path + "/state" }
    var log: String { path + "/log" }

    /// Makes the folder for an attempt below `jobs`. What an earlier agent left in its place goes.
    static func make(for lease: JobLease, in jobs: String) throws -> Workspace {
        let workspace = Workspace(path: "\(jobs)/\(lease.job)-\(lease.attempt)")
        try WorkspaceRemoval.remove(workspace.path)
        for path in [workspace.path, workspace.site, workspace.state] {
            try SystemCallError.check("mkdir", on: path) { mkdir(path, 0o700) }
        }
        return workspace
    }

    /// Makes a folder for this user alone unless it is there.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw SystemCallError("mkdir", on: path) }
    }

    /// Deletes what is left of attempts of an agent that is gone. Returns how many there were.
    static func sweep(_ jobs: String) throws -> Int {
        try makeFolder(jobs)
        let names = try FileTree.names(in: OpenFile(folder: jobs))
        for name in names { try WorkspaceRemoval.remove(jobs + "/" + name) }
        return names.count
    }

    func remove() throws { try WorkspaceRemoval.remove(path) }

    /// Copies files into the site's folder. They are copies and not links, because what runs there may write to them;
    /// each is hashed on the way, so that a blob that a disk damaged is not taken for a change.
    ///
    /// - Parameter isStopped: asked between files, because the work may be called off.
    func place(
        _ entries: [Manifest.Entry], from store: DirectoryBlobStore, unless isStopped: () -> Bool
    ) throws {
        let top = try OpenFile(folder: site)
        var folders: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        for entry in entries {
            if isStopped() { throw CancellationError() }
            try makeFolders(above: entry.path, in: top, made: &folders)
            let source = try OpenFile(store.path(of: entry.digest), flags: O_RDONLY)
            let target = try OpenFile(entry.path.text, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644, in: top)
            var hasher = ContentHasher()
            while true {
                let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
                if count == 0 { break }
                try buffer.withUnsafeBytes { bytes in
                    let piece = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                    hasher.update(piece)
                    try target.write(piece)
                }
            }
            try target.close()
            guard hasher.finish() == entry.digest else { throw DamagedBlob(digest: entry.digest) }
        }
    }

    private func makeFolders(above path: SitePath, in top: OpenFile, made: inout Set<String>) throws {
        var folder = ""
        for component in path.components.dropLast() {
            folder += folder.isEmpty ? String(component) : "/" + component
            guard made.insert(folder).inserted else { continue }
            try SystemCallError.check("mkdir", on: site + "/" + folder) { mkdirat(top.descriptor, folder, 0o755) }
        }
    }
}

/// A blob in the local store is not what its name says.
struct DamagedBlob: Error {
    let digest: ContentDigest
}
