import Artifacts
import BlockingIO
import Browser
import Domain
import Glibc
import Sandbox
import Synchronization

/// Looks at the pages that a job changed, with a browser in a sandbox of its own: after the result went up, so that
/// nothing that the browser does can reach it. What it finds is said, and never stops a job.
package struct PageInspector: Sendable {
    private let browser: String
    private let agent: String
    private let libraryFolders: [String]

    /// - Parameters:
    ///   - browser: Chromium itself, on this host and inside.
    ///   - agent: this agent's own program.
    package init(browser: String, agent: String, libraryFolders: [String] = SwiftRuntime.libraryFolders()) {
        self.browser = browser
        self.agent = agent
        self.libraryFolders = libraryFolders
    }

    func inspect(
        _ changes: ManifestDelta, of manifest: Manifest, since base: Manifest, in workspace: Workspace,
        from store: DirectoryBlobStore, by runner: SandboxRunner, pool: BlockingPool
    ) async -> BrowserReport {
        let pages = Self.pages(changes, of: manifest)
        guard !pages.isEmpty else { return .impossible(because: "no page changed") }
        let room = Workspace(path: workspace.path + "/look")
        do {
            try await pool.run {
                for path in [room.path, room.site, room.path + "/pictures"] { try Workspace.makeFolder(path) }
                try room.place(base.entries, from: store) { Task.isCancelled }
            }
            let request = BrowserRequest(
                program: browser, folder: SandboxPlan.workspacePath, parent: "/state/site", pictures: "/state/pictures",
                pages: pages)
            let plan = PageCheckerPlan.plan(
                agent: agent, libraryFolders: libraryFolders, workspace: workspace.site, state: room.path)
            let last = LastLine()
            let outcome = try await runner.run(plan, input: try request.serialized()) { output in
                if case .line(let text) = output { last.text.withLock { $0 = text } }
            }
            guard let report = last.text.withLock({ $0 }).flatMap({ BrowserReport(line: $0) }) else {
                return .impossible(because: "the page checker ended without a report (\(outcome.ending))")
            }
            return report
        } catch {
            return .impossible(because: "\(error)")
        }
    }

    /// The pages that changed; when something changed that others load, the others too. Those that matter most first.
    private static func pages(_ changes: ManifestDelta, of manifest: Manifest) -> [String] {
        func isPage(_ path: SitePath) -> Bool { ["html", "htm"].contains(path.fileExtension) }
        var pages = changes.upserts.map(\.path).filter(isPage).map(\.text)
        if changes.upserts.contains(where: { !isPage($0.path) }) || !changes.removals.isEmpty {
            let others = manifest.entries.map(\.path).filter(isPage).map(\.text).filter { !pages.contains($0) }
            pages += others.sorted { ($0 == "index.html" ? "" : $0) < ($1 == "index.html" ? "" : $1) }
        }
        return Array(pages.prefix(BrowserRequest.pageLimit))
    }
}

/// What a sandbox printed last.
private final class LastLine: Sendable {
    let text = Mutex<String?>(nil)
}

extension BrowserReport {
    /// For the log of a job.
    var lines: [String] {
        let ran = checks.filter { $0.obstacle == nil }.map(\.name.rawValue)
        var lines = ran.isEmpty ? [] : ["Looked with a browser: \(ran.joined(separator: ", "))."]
        for check in checks {
            if let obstacle = check.obstacle {
                lines.append("Not looked at: \(check.name.rawValue), because \(obstacle).")
            }
        }
        lines += problems.map { "\($0.page): \($0.message) [\($0.rule)]" }
        return lines
    }
}
