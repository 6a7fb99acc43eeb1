import Foundation
import TestSupport
import Testing

/// `pagewright-coordinator check` on installations that are not there yet, and on ones that have lost a part.
@Suite(.timeLimit(.minutes(5))) struct CheckCommandTests {
    @Test("Before the first start it says what is not there yet, and makes nothing")
    func new() async throws {
        try await withTemporaryDirectory { folder in
            let state = folder + "/new"
            let nothing = try await Self.check(state, in: folder)
            #expect(nothing.status == 1)
            #expect(nothing.output.contains("there is no coordinator in"), "\(nothing)")
            let migrated = try await Tool.run("pagewright-coordinator", ["migrate", "--state", state], in: folder)
            try #require(migrated.status == 0, "\(migrated)")
            for _ in 0..<2 {
                let checked = try await Self.check(state, in: folder)
                #expect(checked.status == 0, "\(checked)")
                #expect(checked.output.contains("CA pin     none yet; serve makes it"), "\(checked)")
            }
            #expect(Self.file(named: "ca.key", in: state) == nil)
        }
    }

    @Test("A database or an authority that has gone is named, with the way back, and none is made in its place")
    func lost() async throws {
        try await withTemporaryDirectory { folder in
            let state = folder + "/c"
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            _ = try await system.begin()
            system.stop()

            let key = try #require(Self.file(named: "ca.key", in: state))
            let authority = URL(filePath: key).deletingLastPathComponent().path
            for (path, words) in [
                (key, "the key of the fleet's authority is missing"), (authority, "no host is known any more"),
                (state + "/pagewright.sqlite", "there is no database at"),
            ] {
                try FileManager.default.moveItem(atPath: path, toPath: folder + "/away")
                let checked = try await Self.check(state, in: folder)
                #expect(checked.status == 1, "\(checked)")
                #expect(checked.output.contains(words), "\(checked)")
                #expect(checked.output.lowercased().contains("restore"), "\(checked)")
                let madeAnew = FileManager.default.fileExists(atPath: path)
                #expect(!madeAnew, "\(path)")
                try FileManager.default.moveItem(atPath: folder + "/away", toPath: path)
            }
        }
    }

    private static func check(_ state: String, in folder: String) async throws -> Tool.Ended {
        try await Tool.run("pagewright-coordinator", ["check", "--state", state], in: folder)
    }

    private static func file(named name: String, in folder: String) -> String? {
        FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
            .first { $0.hasSuffix("/" + name) }.map { folder + "/" + $0 }
    }
}
