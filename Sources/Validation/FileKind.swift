package import Domain

/// How a file is read by the checks.
package enum FileKind: String, Sendable, CaseIterable {
    case page, stylesheet
    /// Text that is looked at only for a program that it begins with.
    case text
    /// Never read: its facts are always the same, so its bytes need not be fetched.
    case opaque

    package init(of path: SitePath) {
        self.init(fileExtension: path.fileExtension)
    }

    /// `fileExtension` in lower case, without the dot.
    package init(fileExtension: String) {
        switch fileExtension {
        case "html", "htm", "xhtml": self = .page
        case "css": self = .stylesheet
        case "txt", "text", "md", "markdown", "svg", "xml", "inc", "js", "mjs", "": self = .text
        default: self = .opaque
        }
    }

    /// Whether the facts say anything; when not, there is no need to read the file.
    package var needsBytes: Bool { self != .opaque }

    /// The most bytes of the file that extraction looks at: a longer file may be cut there… or not be read at all
    /// when it is a page, which is then reported as too large.
    package var bytesRead: Int {
        switch self {
        case .page, .stylesheet: 8 << 20
        case .text: 4096
        case .opaque: 0
        }
    }
}
