import Foundation
import TestSupport
import Testing

@testable import PagewrightCLI

struct FolderArchiveTests {
    private func makeSite(_ folder: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/css", withIntermediateDirectories: true)
        try files.createDirectory(atPath: folder + "/.well-known", withIntermediateDirectories: true)
        try files.createDirectory(atPath: folder + "/.git", withIntermediateDirectories: true)
        for (name, text) in [
            ("index.html", "<h1>Hello</h1>"), ("css/a.css", "a{}"), (".well-known/x.txt", "x"), (".git/HEAD", "r"),
            ("Größe.html", "ü"),
        ] {
            try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
        }
    }

    private func listing(of archive: String) throws -> [String] {
        let tar = Process()
        let pipe = Pipe()
        tar.executableURL = URL(filePath: "/bin/tar")
        tar.arguments = ["-tvzf", archive, "--numeric-owner", "--utc", "--quoting-style=literal"]
        tar.standardOutput = pipe
        try tar.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        return text.split(separator: "\n").map(String.init)
    }

    @Test("The same files make the same archive, whatever their times, rights and places are")
    func reproducible() async throws {
        try await withTemporaryDirectory { path in
            try makeSite(path + "/one")
            try makeSite(path + "/elsewhere")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 5), .posixPermissions: 0o600],
                ofItemAtPath: path + "/elsewhere/index.html")
            let summary = try FolderArchive(folder: path + "/one", followsLinks: false).write(to: path + "/1.tar.gz")
            _ = try FolderArchive(folder: path + "/elsewhere", followsLinks: false).write(to: path + "/2.tar.gz")
            let first = try Data(contentsOf: URL(filePath: path + "/1.tar.gz"))
            #expect(try first == Data(contentsOf: URL(filePath: path + "/2.tar.gz")))
            #expect(summary == FolderArchive.Summary(files: 4, sizeInBytes: 20, leftOut: [".git"]))
            let lines = try listing(of: path + "/1.tar.gz")
            #expect(lines.count == 4)
            #expect(lines.allSatisfy { $0.hasPrefix("-rw-r--r-- 0/0") && $0.contains("1970-01-01 00:00") })
            #expect(
                lines.map { $0.split(separator: " ").last } == [
                    ".well-known/x.txt", "Größe.html", "css/a.css", "index.html",
                ])
        }
    }

    @Test("A symbolic link is refused by name, and followed only when asked")
    func links() async throws {
        try await withTemporaryDirectory { path in
            try makeSite(path + "/site")
            try Data("far".utf8).write(to: URL(filePath: path + "/far.txt"))
            try FileManager.default.createSymbolicLink(
                atPath: path + "/site/link.txt", withDestinationPath: path + "/far.txt")
            let error = try #require(throws: CLIError.self) {
                try FolderArchive(folder: path + "/site", followsLinks: false).write(to: path + "/a.tar.gz")
            }
            #expect(error.sentence == "link.txt is a symbolic link")
            let summary = try FolderArchive(folder: path + "/site", followsLinks: true).write(to: path + "/a.tar.gz")
            #expect(summary.files == 5)
        }
    }

    @Test("A link that leads back into its own folder ends with an error")
    func loop() async throws {
        try await withTemporaryDirectory { path in
            try makeSite(path + "/site")
            try FileManager.default.createSymbolicLink(
                atPath: path + "/site/css/again", withDestinationPath: path + "/site")
            #expect(throws: CLIError.self) {
                try FolderArchive(folder: path + "/site", followsLinks: true).write(to: path + "/a.tar.gz")
            }
        }
    }
}
