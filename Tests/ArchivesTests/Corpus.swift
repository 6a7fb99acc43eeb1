import Foundation
import TestSupport
import Testing

/// Archives that a script makes, because no good program makes the bad ones.
enum Corpus {
    struct Hostile: Decodable {
        let file: String
        /// The rule that it breaks; more than one, with `|` between, where it depends on the library which is seen first.
        let rule: String

        var rules: [String] { rule.split(separator: "|").map(String.init) }
    }

    static func makeHostile(in folder: String) throws -> [Hostile] {
        try run("hostile_archives", folder)
        return try JSONDecoder().decode([Hostile].self, from: Data(contentsOf: URL(filePath: "\(folder)/index.json")))
    }

    /// Returns the names of the files.
    static func makeProper(in folder: String) throws -> [String] {
        try run("proper_archives", folder)
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    private static func run(_ script: String, _ folder: String) throws {
        let path = try #require(Bundle.module.path(forResource: script, ofType: "py", inDirectory: "Fixtures"))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/env")
        python.arguments = ["python3", path, folder]
        try python.run()
        python.waitUntilExit()
        try #require(python.terminationStatus == 0, "the script \(script) failed")
    }
}
