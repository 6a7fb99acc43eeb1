import Artifacts
import BlockingIO
import Domain
import Foundation
import TestSupport
import Testing

@testable import Worker

/// A workspace that fights back: what was listed is something else when it is read. Nothing runs in it any more then, so
/// these are walls behind a wall.
@Suite struct SwappedWorkspaceTests {
    /// Lists a workspace with `page.html` and `deep/page.html`, lets `swap` change it, and takes both into a store.
    private func take(_ swap: (_ site: String) throws -> Void) async throws -> [String] {
        try await withTemporaryDirectory { folder in
            let workspace = Workspace(path: folder + "/job")
            try FileManager.default.createDirectory(
                atPath: workspace.site + "/deep", withIntermediateDirectories: true)
            try Data("secret of the host".utf8).write(to: URL(filePath: folder + "/secret"))
            for name in ["page.html", "deep/page.html"] {
                try Data("page".utf8).write(to: URL(filePath: workspace.site + "/" + name))
            }
            let pool = BlockingPool(label: "test", width: 2)
            let store = try await DirectoryBlobStore(directory: folder + "/store", pool: pool)
            let manifest = try WorkspaceCollector.collect(workspace.site)
            try swap(workspace.site)
            var taken: [String] = []
            for entry in manifest.entries {
                let batch = try await store.makeBatch()
                do {
                    try await WorkspaceFile.copy(entry, from: workspace, into: batch, pool: pool)
                    try await batch.commit()
                    taken.append(entry.path.text)
                } catch {
                    await batch.discard()
                }
            }
            let secret = Array("secret of the host".utf8)
            for entry in manifest.entries where try await store.missing(among: [entry.digest]).isEmpty {
                #expect(try await store.read(entry.digest, limit: 1 << 20) != secret)
            }
            return taken
        }
    }

    private func replace(_ path: String, by make: () throws -> Void) throws {
        try FileManager.default.removeItem(atPath: path)
        try make()
    }

    @Test("What was not touched is taken")
    func untouched() async throws {
        #expect(try await take { _ in } == ["deep/page.html", "page.html"])
    }

    @Test("A file that became a link to a file of the host is not")
    func link() async throws {
        let taken = try await take { site in
            try replace(site + "/page.html") {
                try FileManager.default.createSymbolicLink(
                    atPath: site + "/page.html", withDestinationPath: "../../secret")
            }
        }
        #expect(taken == ["deep/page.html"])
    }

    @Test("A folder that became a link to a folder of the host is not")
    func folder() async throws {
        let taken = try await take { site in
            let outside = URL(filePath: site).deletingLastPathComponent().deletingLastPathComponent().path
            try Data("secret of the host".utf8).write(to: URL(filePath: outside + "/page.html"))
            try replace(site + "/deep") {
                try FileManager.default.createSymbolicLink(atPath: site + "/deep", withDestinationPath: outside)
            }
        }
        #expect(taken == ["page.html"])
    }

    @Test("A file that became another file is not")
    func content() async throws {
        let taken = try await take { site in
            try Data("another".utf8).write(to: URL(filePath: site + "/page.html"))
        }
        #expect(taken == ["deep/page.html"])
    }

    @Test("A file that became a pipe does not keep anybody waiting")
    func pipe() async throws {
        let taken = try await take { site in
            try replace(site + "/page.html") { mkfifo(site + "/page.html", 0o600) }
        }
        #expect(taken == ["deep/page.html"])
    }

    @Test("A file that grew is not taken")
    func growth() async throws {
        let taken = try await take { site in
            let handle = try FileHandle(forWritingTo: URL(filePath: site + "/page.html"))
            // A hole, which takes no room.
            try handle.truncate(atOffset: 64 << 20)
            try handle.close()
        }
        #expect(taken == ["deep/page.html"])
    }
}
