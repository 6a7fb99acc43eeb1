import Foundation
import TestSupport
import Testing

@testable import AgentDaemon

struct StateFolderTests {
    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test(
        "Others may pass through the state folder to what is served, and into nothing else", arguments: [true, false])
    func modes(wasClosedBefore: Bool) async throws {
        try await withTemporaryDirectory { path in
            let state = StateFolder(path: path + "/state")
            if wasClosedBefore {
                // As an agent of before left them, or an operator's umask.
                for (folder, mode) in [(state.path, 0o700), (state.identity, 0o755), (state.blobs, 0o755)] {
                    try FileManager.default.createDirectory(
                        atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: mode])
                }
            }
            try state.prepare()
            #expect(try mode(state.path) == 0o711)
            for folder in wasClosedBefore ? [state.identity, state.blobs] : [] { #expect(try mode(folder) == 0o700) }
            #expect(try mode((state.socket as NSString).deletingLastPathComponent) == 0o700)
            try state.prepare()
            #expect(try mode(state.path) == 0o711)
        }
    }
}
