import AgentCore
import Artifacts
import BlockingIO
import Domain
import Engines

/// Holds what a program does in a replay against what it did then, after each answer of the model. Where it came to
/// something else, because a command's outcome depends on the moment, the files are made what they were then.
actor StepReplay {
    private let watch: WorkspaceWatch
    private let base: Manifest
    private let store: DirectoryBlobStore
    private let transfer: any BlobTransfer
    private let access: BlobAccess
    private let pool: BlockingPool
    /// What the files are to be, of those that were changed then.
    private var wanted: [String: StepEffect] = [:]
    /// What they are, of those that were changed in this replay.
    private var current: [String: ContentDigest?] = [:]
    /// Changed since the last step that could be held against the record.
    private var touched: Set<String> = []
    private var repeated = 0
    private var applied: [(step: Int, paths: [String])] = []

    init(
        watch: WorkspaceWatch, base: Manifest, store: DirectoryBlobStore, transfer: any BlobTransfer,
        access: BlobAccess, pool: BlockingPool
    ) {
        self.watch = watch
        self.base = base
        self.store = store
        self.transfer = transfer
        self.access = access
        self.pool = pool
    }

    /// To be called when all that an answer made the program do is done.
    ///
    /// - Parameter step: the number of the answer, from 1.
    func settle(_ effects: [StepEffect]?, step: Int) async {
        guard let seen = try? await pool.run({ [watch] in watch.look() }) else { return }
        for effect in seen {
            current[effect.path] = .some(effect.digest)
            touched.insert(effect.path)
        }
        // Nobody saw what was done then after this answer.
        guard let effects else { return }
        for effect in effects { wanted[effect.path] = effect }
        touched.formUnion(effects.map(\.path))
        guard !touched.isEmpty else { return }
        let different = touched.sorted().filter { digest(of: $0) != wantedDigest(of: $0) }
        touched = []
        guard !different.isEmpty else {
            repeated += 1
            return
        }
        var done: [String] = []
        for path in different {
            if await apply(path) {
                done.append(path)
            } else {
                // It may be had later, or become what it was by itself.
                touched.insert(path)
            }
        }
        if !done.isEmpty { applied.append((step, done)) }
        // What was written here is no doing of the program.
        _ = try? await pool.run { [watch] in watch.look() }
    }

    /// What was done again and what was not, as sentences.
    var report: String {
        func steps(_ count: Int) -> String { count == 1 ? "1 step" : "\(count) steps" }
        guard !applied.isEmpty else {
            return "\(steps(repeated)) that changed files came to the same as then."
        }
        let named = applied.prefix(10).map { entry in
            let paths = entry.paths.prefix(3).map(\.shownAsPath).joined(separator: ", ")
            let more = entry.paths.count > 3 ? " and \(entry.paths.count - 3) more" : ""
            return "step \(entry.step) (\(paths)\(more))"
        }
        return
            "\(steps(repeated)) that changed files came to the same as then. Taken from the record, because it came to "
            + "something else now: \(named.joined(separator: ", "))."
    }

    private func digest(of path: String) -> ContentDigest? {
        if let known = current[path] { return known }
        return baseDigest(of: path)
    }

    private func wantedDigest(of path: String) -> ContentDigest? {
        if let effect = wanted[path] { return effect.digest }
        return baseDigest(of: path)
    }

    private func baseDigest(of path: String) -> ContentDigest? {
        (try? SitePath(path)).flatMap { base.entry(at: $0)?.digest }
    }

    private func apply(_ path: String) async -> Bool {
        let target = wantedDigest(of: path)
        var bytes: [UInt8]?
        if let target {
            bytes = await content(target, text: wanted[path]?.text)
            if bytes == nil { return false }
        }
        do {
            try await pool.run { [watch, bytes] in try watch.write(bytes, to: path) }
        } catch {
            return false
        }
        current[path] = .some(target)
        return true
    }

    /// What has this digest: from the record itself, the site, or the version that was made then.
    private func content(_ digest: ContentDigest, text: String?) async -> [UInt8]? {
        if let text, Self.digest(of: Array(text.utf8)) == digest { return Array(text.utf8) }
        let limit = Int(Manifest.Limits.standard.fileSizeInBytes)
        if let bytes = try? await store.read(digest, limit: limit) { return bytes }
        guard (try? await transfer.fetch([digest], for: access, into: store)) != nil else { return nil }
        return try? await store.read(digest, limit: limit)
    }

    private static func digest(of bytes: [UInt8]) -> ContentDigest {
        var hasher = ContentHasher()
        hasher.update(bytes)
        return hasher.finish()
    }
}
