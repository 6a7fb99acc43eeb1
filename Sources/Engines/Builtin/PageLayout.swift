import Markup

/// Where the parts of a page are that sites repeat: the main content and the links of the navigation.
struct PageLayout {
    let document: HTMLDocument
    let path: String

    /// What is between the header and the footer.
    var main: HTMLElement? {
        let whole = { (element: HTMLElement) in element.content != nil && element.endTag != nil }
        let elements = document.elements.filter(whole)
        if let main = elements.first(where: { $0.name == "main" }) ?? elements.first(where: { $0["role"] == "main" }) {
            return main
        }
        for name in ["main", "main-content", "content"] {
            if let found = elements.first(where: { $0["id"] == name && $0.name != "a" }) { return found }
        }
        return nil
    }

    /// White space at the beginning of the line of a byte.
    func indentation(at offset: Int) -> String {
        var start = offset
        while start > 0, document.source[start - 1] == 0x20 || document.source[start - 1] == 0x09 { start -= 1 }
        guard start == 0 || document.source[start - 1] == 0x0a else { return "" }
        return String(decoding: document.source[start..<offset], as: UTF8.self)
    }

    /// A range with the white space before it, so that taking it away leaves no empty line.
    func withLeadingBlanks(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        while start > 0, document.source[start - 1] <= 0x20 { start -= 1 }
        // Only when a whole line goes; within a line one blank may have to stay.
        let isAtLineStart = document.source[start..<range.lowerBound].contains(0x0a)
        let next = range.upperBound < document.source.count ? document.source[range.upperBound] : 0x0a
        return isAtLineStart && (next == 0x0a || next == 0x0d || next == 0x3c) ? start..<range.upperBound : range
    }

    /// `target` as an address on `page`, without a scheme or a slash in front.
    static func relativeAddress(of target: String, from page: String) -> String {
        let folders = page.split(separator: "/").dropLast()
        let parts = target.split(separator: "/")
        var shared = 0
        while shared < folders.count, shared < parts.count - 1, folders[shared] == parts[shared] { shared += 1 }
        let up = String(repeating: "../", count: folders.count - shared)
        return up + parts[shared...].map { $0.percentEncoded }.joined(separator: "/")
    }

    /// `target` as an address on this page, written in the way of another address here.
    func address(of target: String, like sample: String) -> String {
        var target = target
        let last = sample.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let stem = last.prefix { $0 != "#" && $0 != "?" }
        if !stem.isEmpty, !stem.contains("."), target.hasSuffix(".html"), stem != "." {
            target = String(target.dropLast(5))
        }
        if sample.hasPrefix("/") {
            return "/" + target.split(separator: "/").map { $0.percentEncoded }.joined(separator: "/")
        }
        var origin = path
        if let base = document.baseAddress,
            case .inside(let path, _) = SiteAddress(base, in: path)
        {
            origin = path.hasSuffix("/") ? path + "index.html" : path
        }
        return Self.relativeAddress(of: target, from: origin)
    }
}

extension StringProtocol {
    /// For one part of a path in an address.
    var percentEncoded: String {
        let digits = Array("0123456789ABCDEF")
        var result = ""
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return result
    }
}
