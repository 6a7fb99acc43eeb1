import Domain

/// The files of a manifest by path, as a web server finds them.
struct SiteIndex {
    private let files: Set<String>
    private let byFoldedCase: [String: String]

    init(_ manifest: Manifest) {
        files = Set(manifest.entries.map(\.path.text))
        byFoldedCase = Dictionary(
            manifest.entries.map { ($0.path.caseFolded, $0.path.text) }, uniquingKeysWith: { first, _ in first })
    }

    /// The file that is sent for a path: itself, the `index.html` of a folder, or the page with its `.html` left off.
    func file(for path: String) -> String? { Self.candidates(for: path).first(where: files.contains) }

    /// A file that would be sent if only the letters were written the same way.
    func almost(_ path: String) -> String? {
        Self.candidates(for: path).lazy.compactMap { byFoldedCase[$0.lowercased()] }.first
    }

    private static func candidates(for path: String) -> [String] {
        if path.isEmpty { return ["index.html"] }
        if path.hasSuffix("/") { return [path + "index.html"] }
        return [path, path + ".html", path + "/index.html"]
    }
}
