import Artifacts
import BlockingIO
import Browser
import Domain
import Glibc
import Sandbox
import Synchronization

/// Looks at the pages that a job changed, with a browser in a sandbox of its own: after the result was taken, so that
/// nothing that the browser does can reach it or delay it.
package struct PageInspector: Sendable {
    /// Both versions together; what is larger is not laid out for a browser.
    private static let sizeLimit: Int64 = 1 << 30
    private static let start = "index.html"

    private let browser: BrowserChoice
    private let agent: String
    /// Below this every look gets a folder; nothing else may be in there.
    let directory: String
    private let libraryFolders: [String]

    /// - Parameters:
    ///   - agent: this agent's own program.
    ///   - directory: for what a browser is shown and what it leaves; emptied when the agent starts.
    package init(
        browser: BrowserChoice, agent: String, directory: String,
        libraryFolders: [String] = SwiftRuntime.libraryFolders()
    ) {
        self.browser = browser
        self.agent = agent
        self.directory = directory
        self.libraryFolders = libraryFolders
    }

    /// What a completion says of the look that comes after it.
    func announcement(
        of changes: ManifestDelta, of manifest: Manifest, by runner: SandboxRunner?
    ) -> JobCompletion.Look {
        changes.affectedPages(of: manifest).isEmpty ? .impossible("no page changed") : announcement(by: runner)
    }

    /// Whether there is a browser.
    var canLook: Bool { if case .success = browser.find() { true } else { false } }

    /// What a completion says of the look that somebody asked for.
    func announcement(by runner: SandboxRunner?) -> JobCompletion.Look {
        guard runner != nil else { return .impossible("this worker can build no sandbox now") }
        switch browser.find() {
        case .success: return .follows
        case .failure(let absence): return .impossible(absence.reason)
        }
    }

    /// Makes the folder for looks, empty: what is in it was left by an agent that is gone.
    func prepare() throws {
        try WorkspaceRemoval.remove(directory)
        try Workspace.makeFolder(directory)
    }

    /// What a browser saw, with the bytes of its pictures. Never fails: what stopped it is in the report.
    ///
    /// - Parameters:
    ///   - base: the version before; `nil` when there is nothing to compare with.
    ///   - chosen: the pages to look at; empty for those that may look different.
    func inspect(
        _ manifest: Manifest, since base: Manifest?, pages chosen: [SitePath], in room: Workspace,
        from store: DirectoryBlobStore, by runner: SandboxRunner, pool: BlockingPool
    ) async -> (checks: PageChecks, pictures: [ContentDigest: [UInt8]]) {
        var pages = chosen
        if pages.isEmpty, let base { pages = ManifestDelta(from: base, to: manifest).affectedPages(of: manifest) }
        guard manifest.totalSizeInBytes + (base?.totalSizeInBytes ?? 0) <= Self.sizeLimit else {
            let size = "\(Self.sizeLimit >> 20) MiB"
            return (.impossible(because: "the version and the one before have more than \(size) together"), [:])
        }
        let program: String
        switch browser.find() {
        case .success(let path): program = path
        case .failure(let absence): return (.impossible(because: absence.reason), [:])
        }
        // The version before and the pictures are in the folder that the sandbox has beside the site.
        let before = Workspace(path: room.state)
        let pictures = room.state + "/pictures"
        do {
            // A thread of the pool belongs to no task, so it has to be told that this one was cancelled.
            let stop = StopSign()
            try await withTaskCancellationHandler {
                try await pool.run {
                    for path in [room.path, room.site, before.path, before.site, pictures] {
                        try Workspace.makeFolder(path)
                    }
                    try room.place(manifest.entries, from: store) { stop.isUp }
                    try before.place(base?.entries ?? [], from: store) { stop.isUp }
                }
            } onCancel: {
                stop.raise()
            }
            let request = BrowserRequest(
                program: program, folder: SandboxPlan.workspacePath, parent: base == nil ? nil : "/state/site",
                pictures: "/state/pictures", pages: pages.map(\.text),
                start: manifest.entries.contains { $0.path.text == Self.start } ? Self.start : nil)
            let plan = PageCheckerPlan.plan(
                agent: agent, libraryFolders: libraryFolders, workspace: room.site, state: room.state,
                isGrouped: runner.controlGroups != nil)
            let last = LastLine()
            let outcome = try await runner.run(plan, input: try request.serialized()) { output in
                if case .line(let text) = output { last.text.withLock { $0 = text } }
            }
            guard let report = last.text.withLock({ $0 }).flatMap({ BrowserReport(line: $0) }) else {
                return (.impossible(because: "the page checker ended without a report (\(outcome.ending))"), [:])
            }
            return try await pool.run { try Self.read(report, from: pictures, of: manifest, since: base) }
        } catch {
            return (.impossible(because: "\(error)"), [:])
        }
    }

    /// The report in the words of the domain, with pictures as they are and not as the report says. Nothing that came out
    /// of the sandbox is believed.
    private static func read(
        _ report: BrowserReport, from folder: String, of manifest: Manifest, since base: Manifest?
    ) throws -> (checks: PageChecks, pictures: [ContentDigest: [UInt8]]) {
        var checks = PageChecks()
        for check in report.checks {
            guard let name = PageChecks.Check.Name(rawValue: check.name.rawValue) else { continue }
            // Nobody asked for a comparison.
            if base == nil, name == .difference { continue }
            checks.checks.append(PageChecks.Check(name, obstacle: check.obstacle ?? ""))
        }
        var seen: Set<Finding.Key> = []
        for problem in report.problems.prefix(PageChecks.findingLimit) {
            let isWorse = problem.isWorse && PageChecks.accessibilityRules.contains(problem.rule)
            let finding = Finding(
                severity: isWorse ? .error : .warning, rule: problem.rule, path: problem.page,
                subject: problem.subject,
                message: isWorse ? problem.message + " It was better before." : problem.message)
            if seen.insert(finding.key).inserted { checks.findings.append(finding) }
        }
        var bytes: [ContentDigest: [UInt8]] = [:]
        let top = try BeneathFile(root: folder)
        checks.pictures = try pictures(report.screenshots, in: top, bytes: &bytes)
        checks.before = try pictures(report.before, in: top, bytes: &bytes)
        if let flaw = checks.flaw(in: manifest, since: base) {
            return (.impossible(because: "the page checker's report is refused: \(flaw)"), [:])
        }
        return (checks, bytes)
    }

    private static func pictures(
        _ shots: [BrowserReport.Screenshot], in top: BeneathFile, bytes: inout [ContentDigest: [UInt8]]
    ) throws -> [PagePicture] {
        var pictures: [PagePicture] = []
        for shot in shots.prefix(PageChecks.pictureLimit) {
            guard let page = try? SitePath(shot.page), let content = try content(of: shot.file, in: top),
                let found = PagePicture.measure(content)
            else { continue }
            var hasher = ContentHasher()
            hasher.update(content)
            let digest = hasher.finish()
            bytes[digest] = content
            pictures.append(
                PagePicture(
                    page: page, kind: shot.kind == .page ? .page : .thumbnail, width: found.width,
                    height: found.height, format: found.format, digest: digest, sizeInBytes: Int64(content.count),
                    changes: shot.changes.map { boxes in
                        boxes.prefix(PagePicture.boxLimit).map {
                            PagePicture.Box(x: $0.x, y: $0.y, width: $0.width, height: $0.height)
                        }
                    }))
        }
        return pictures
    }

    /// `nil` when it is no plain file, or too large for a picture.
    private static func content(of name: String, in folder: BeneathFile) throws -> [UInt8]? {
        guard !name.contains("/"), let file = try? BeneathFile(name, in: folder, flags: O_RDONLY | O_NONBLOCK) else {
            return nil
        }
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0, status.st_size <= PagePicture.sizeLimit else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        return try file.read(into: &bytes) == bytes.count ? bytes : nil
    }
}

/// Seen by threads that belong to no task.
private final class StopSign: Sendable {
    private let state = Atomic(false)
    var isUp: Bool { state.load(ordering: .relaxed) }
    func raise() { state.store(true, ordering: .relaxed) }
}

/// What a sandbox printed last.
private final class LastLine: Sendable {
    let text = Mutex<String?>(nil)
}
