import Domain
import Hummingbird

/// How a file of a version can be shown.
struct FileKind {
    private static let texts: Set<String> = [
        "html", "htm", "css", "js", "mjs", "json", "txt", "md", "svg", "xml", "csv", "webmanifest", "yml", "yaml",
    ]
    private static let pictures: Set<String> = ["png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico"]

    let path: SitePath

    init(_ path: SitePath) { self.path = path }

    var isText: Bool { Self.texts.contains(path.fileExtension) }
    var isPicture: Bool { Self.pictures.contains(path.fileExtension) }

    var mediaType: String {
        guard let type = MediaType.getMediaType(forExtension: path.fileExtension) else {
            return "application/octet-stream"
        }
        let text = "\(type)"
        return text.hasPrefix("text/") ? text + "; charset=utf-8" : text
    }
}
