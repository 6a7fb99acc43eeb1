import Glibc

/// Answers a browser's requests out of a folder: nothing else is reachable. Links are not followed.
struct SiteFiles {
    private static let sizeLimit = 32 << 20
    let folder: String

    struct Answer {
        let status: Int
        let type: String
        let bytes: [UInt8]
    }

    /// - Parameter path: of an address, with its slash, percent signs and all.
    func answer(_ path: String) -> Answer {
        var parts: [String] = []
        for part in path.split(separator: "/") {
            guard let name = Self.decoded(part), !name.contains("/"), !name.contains("\0"), name != "..",
                name != "."
            else { return notFound }
            parts.append(name)
        }
        if path.hasSuffix("/") || parts.isEmpty { parts.append("index.html") }
        if let bytes = read(parts) { return Answer(status: 200, type: Self.type(of: parts.last ?? ""), bytes: bytes) }
        if let bytes = read(parts + ["index.html"]) { return Answer(status: 200, type: Self.type(of: ".html"), bytes: bytes) }
        return notFound
    }

    /// `nil` when it is not UTF-8 afterwards.
    private static func decoded(_ text: Substring) -> String? {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, rest.count >= 2, let high = digit(rest[rest.startIndex]), let low = digit(rest[rest.startIndex + 1]) {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private var notFound: Answer {
        Answer(status: 404, type: "text/html; charset=utf-8", bytes: read(["404.html"]) ?? Array("Not found".utf8))
    }

    private func read(_ parts: [String]) -> [UInt8]? {
        var descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (isLast ? 0 : O_DIRECTORY)
            let next = openat(descriptor, part, flags)
            close(descriptor)
            guard next >= 0 else { return nil }
            descriptor = next
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.sizeLimit else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            done += count
        }
        return bytes
    }

    static func type(of name: String) -> String {
        switch name.lowercased().split(separator: ".").last.map(String.init) ?? "" {
        case "html", "htm": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "json", "webmanifest": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "gif": "image/gif"
        case "webp": "image/webp"
        case "avif": "image/avif"
        case "ico": "image/x-icon"
        case "woff": "font/woff"
        case "woff2": "font/woff2"
        case "txt": "text/plain; charset=utf-8"
        case "xml": "application/xml"
        case "mp4": "video/mp4"
        case "pdf": "application/pdf"
        default: "application/octet-stream"
        }
    }
}
