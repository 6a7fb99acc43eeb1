import AgentProtocol
import Artifacts
import BlockingIO
import Domain
import Glibc

/// The folder of one attempt: the site as a private copy, the engine's own state, the log, and what the next agent needs
/// to go on when this one is killed. Every call blocks.
struct Workspace: Sendable {
    let path: String
    /// What the sandbox may write.
    var site: String { path + "/site" }
    /// What the engine keeps for itself.
    var state: String { path + "/state" }
    var log: String { path + "/log" }
    /// What the engine's model said, for a replay.
    var traffic: String { path + "/traffic" }
    /// Where the task's shim keeps what it prints and how it ended.
    var task: String { path + "/task" }
    private var offer: String { path + "/offer" }

    /// Makes a folder for an attempt below `jobs`, and keeps the offer in it. Its name is a new one each time: whatever an
    /// earlier agent may have started at the last moment finds nothing to work in.
    static func make(for offer: JobOffer, in jobs: String) throws -> Workspace {
        let nonce = UInt32.random(in: .min ... .max)
        let workspace = Workspace(path: "\(jobs)/\(offer.lease.job)-\(offer.lease.attempt)-\(nonce)")
        for path in [workspace.path, workspace.site, workspace.state, workspace.task] {
            try SystemCallError.check("mkdir", on: path) { mkdir(path, 0o700) }
        }
        let file = try OpenFile(workspace.offer, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try offer.serialized().withUnsafeBytes { try file.write($0) }
        try file.close()
        return workspace
    }

    /// The offer that ``make(for:in:)`` kept; throws when there is none that can be read.
    func readOffer() throws -> JobOffer {
        let file = try OpenFile(offer, flags: O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
        return try JobOffer(serialized: Array(bytes[..<count]))
    }

    /// Makes a folder for this user alone unless it is there.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw SystemCallError("mkdir", on: path) }
    }

    /// The folders of attempts of an agent that is gone.
    static func all(in jobs: String) throws -> [Workspace] {
        try makeFolder(jobs)
        return try FileTree.names(in: OpenFile(folder: jobs)).sorted().map { Workspace(path: jobs + "/" + $0) }
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
