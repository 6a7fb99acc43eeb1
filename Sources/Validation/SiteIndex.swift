import Domain

/// The files of a manifest by path, as a web server finds them.
struct SiteIndex {
    private let manifest: Manifest
    private let files: Set<String>
    /// Made when it is first needed: most sites link to what is there.
    private lazy var byFoldedCase = Dictionary(
        manifest.entries.map { ($0.path.caseFolded, $0.path.text) }, uniquingKeysWith: { first, _ in first })

    init(_ manifest: Manifest) {
        self.manifest = manifest
        files = Set(manifest.entries.map(\.path.text))
    }

    /// The file that is sent for a path: itself, the `index.html` of a folder, or the page with its `.html` left off.
    func file(for path: String) -> String? {
        files.contains(path) ? path : Self.candidates(for: path).first(where: files.contains)
    }

    /// A file that would be sent if only the letters were written the same way.
    mutating func almost(_ path: String) -> String? {
        for candidate in Self.candidates(for: path) {
            if let file = byFoldedCase[candidate.lowercased()] { return file }
        }
        return nil
    }

    private static func candidates(for path: String) -> [String] {
        if path.isEmpty { return ["index.html"] }
        if path.hasSuffix("/") { return [path + "index.html"] }
        return [path, path + ".html", path + "/index.html"]
    }
}
