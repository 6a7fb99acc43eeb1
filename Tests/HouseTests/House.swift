import Foundation

/// The repository that these tests are in: its manifest, read as text, and its files.
struct House {
    struct Room {
        let name: String
        /// Written in C, here or on the system: it imports nothing of ours and belongs to no line of the map.
        let isC: Bool
        /// The line of the map that it stands on, from the comments `// 1: …`; C libraries are below all, tests have none.
        let level: Int?
        /// Targets of ours, which the manifest quotes.
        let neighbours: Set<String>
        /// Modules of other packages, which the manifest names by constants.
        let products: Set<String>
        let folder: URL

        var isTest: Bool { level == nil }
    }

    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    let rooms: [Room]
    /// Modules that the manifest knows from other packages.
    let productModules: Set<String>

    init() throws {
        let manifest = try Self.text("Package.swift")
        let product = /let (\w+) = Target\.Dependency\.product\(name: "(\w+)"/
        let constants = Dictionary(
            uniqueKeysWithValues: manifest.matches(of: product).map { (String($0.1), String($0.2)) })

        // Either a comment that begins a line of the map, or a target with its list of dependencies.
        let part =
            /\/\/ (?:(\d+): |Tests\b).*|\.(target|executableTarget|systemLibrary|testTarget)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/
        var rooms: [Room] = []
        var level: Int?
        for match in manifest.matches(of: part) {
            guard let kind = match.2, let name = match.3.map(String.init) else {
                level = match.1.flatMap { Int($0) }
                continue
            }
            let list = match.4 ?? ""
            let neighbours = Set(list.matches(of: /"(\w+)"/).map { String($0.1) })
            let words = Set(list.matches(of: /\w+/).map { String($0.0) })
            let folder = Self.root.appending(path: level == nil ? "Tests/\(name)" : "Sources/\(name)")
            let isC = try kind == "systemLibrary" || Self.swiftFiles(in: folder).isEmpty
            rooms.append(
                Room(
                    name: name, isC: isC, level: isC ? 0 : level, neighbours: neighbours,
                    products: Set(words.subtracting(neighbours).compactMap { constants[$0] }), folder: folder))
        }
        self.rooms = rooms
        productModules = Set(constants.values)
    }

    func room(_ name: String) -> Room? { rooms.first { $0.name == name } }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Swift files below a folder of the repository, with their text; generated ones only on request.
    static func swiftFiles(in folder: URL, generated: Bool = true) throws -> [(path: String, text: String)] {
        guard let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { return [] }
        var files: [(path: String, text: String)] = []
        for case let file as URL in found where file.pathExtension == "swift" {
            let path = String(file.path.dropFirst(root.path.count + 1))
            if !generated && path.contains("/Generated/") { continue }
            files.append((path, try String(contentsOf: file, encoding: .utf8)))
        }
        return files.sorted { $0.path < $1.path }
    }

    /// The modules that a Swift file imports; not the one that it falls back to after `#else`.
    static func imports(of text: String) -> Set<String> {
        let module =
            /\s*(?:@\w+(?:\(\w+\))? )*(?:(?:package|internal|public|private|fileprivate) )?import (?:(?:struct|class|enum|protocol|func|let|var|typealias) )?(\w+)/
        var found: Set<String> = []
        var previous: Substring = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.prefixMatch(of: module), !previous.hasPrefix("#else") { found.insert(String(match.1)) }
            previous = line
        }
        return found
    }
}
