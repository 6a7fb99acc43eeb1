import BlockingIO
import Foundation
import TestSupport
import Testing

@Suite("Removing a tree")
struct FileTreeTests {
    private let files = FileManager.default

    @Test("Takes all of it: files, folders, links, pipes, and folders without rights")
    func everything() async throws {
        try await withTemporaryDirectory { directory in
            let tree = "\(directory)/tree"
            let outside = "\(directory)/outside"
            try files.createDirectory(atPath: "\(tree)/a/b/c", withIntermediateDirectories: true)
            try files.createDirectory(atPath: outside, withIntermediateDirectories: true)
            try Data("kept".utf8).write(to: URL(filePath: "\(outside)/file"))
            try Data("gone".utf8).write(to: URL(filePath: "\(tree)/a/file"))
            try files.createDirectory(atPath: "\(tree)/.removed-1", withIntermediateDirectories: true)
            try Data("gone".utf8).write(to: URL(filePath: "\(tree)/.removed-1/file"))
            try files.createSymbolicLink(atPath: "\(tree)/a/link", withDestinationPath: outside)
            #expect(mkfifo("\(tree)/a/b/pipe", 0o600) == 0)
            #expect(chmod("\(tree)/a/b", 0o000) == 0)
            try FileTree.remove(tree)
            #expect(!files.fileExists(atPath: tree))
            #expect(files.fileExists(atPath: "\(outside)/file"))
            try FileTree.remove(tree)
        }
    }

    @Test("Works at a depth that no path can name")
    func depth() async throws {
        try await withTemporaryDirectory { directory in
            let tree = "\(directory)/tree"
            try files.createDirectory(atPath: tree, withIntermediateDirectories: true)
            var folder = try OpenFile(folder: tree)
            for _ in 0..<3_000 {
                #expect(mkdirat(folder.descriptor, "deeper", 0o700) == 0)
                folder = try OpenFile(folder: "deeper", in: folder)
            }
            try FileTree.remove(tree)
            #expect(!files.fileExists(atPath: tree))
        }
    }

    @Test("Does not follow a link in the place of the tree")
    func link() async throws {
        try await withTemporaryDirectory { directory in
            let outside = "\(directory)/outside"
            try files.createDirectory(atPath: outside, withIntermediateDirectories: true)
            try files.createSymbolicLink(atPath: "\(directory)/tree", withDestinationPath: outside)
            #expect(throws: SystemCallError.self) { try FileTree.remove("\(directory)/tree") }
            #expect(files.fileExists(atPath: outside))
        }
    }
}
