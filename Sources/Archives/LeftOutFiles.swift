import Domain

/// The files of an archive that are not for visitors, and the warnings about them.
struct LeftOutFiles {
    private static let mostFindings = 50
    private var paths: [SitePath] = []
    private var more = 0

    mutating func add(_ path: SitePath) {
        if paths.count < Self.mostFindings { paths.append(path) } else { more += 1 }
    }

    /// Whether the file is hidden, or what macOS adds to a zip file; wherever the site begins, at the top or one folder below.
    static func isLeftOut(_ path: SitePath) -> Bool {
        guard path.components.first != "__MACOSX" else { return true }
        guard path.isHidden else { return false }
        guard let below = try? path.withoutFirstFolder() else { return true }
        return path.components[0].hasPrefix(".") || below.isHidden
    }

    var findings: [Finding] {
        var findings = paths.map { path in
            Finding(
                severity: .warning, rule: "hidden-file", path: path.text,
                message: "The file \(path) was left out, because hidden files are not part of a site.")
        }
        if more > 0 {
            findings.append(
                Finding(
                    severity: .warning, rule: "hidden-file", path: "", subject: "more",
                    message: "\(more) more hidden \(more == 1 ? "file was" : "files were") left out."))
        }
        return findings
    }
}

extension SitePath {
    /// The path within its first folder. Throws when it is in none.
    func withoutFirstFolder() throws(ServiceError) -> SitePath {
        try SitePath(components.dropFirst().joined(separator: "/"))
    }
}
