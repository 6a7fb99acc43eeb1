/// Reads the few shapes that a small piece may have, and nothing else.
struct CompletePiece {
    private static let elements: Set<String> = ["a", "b", "br", "em", "i", "li", "ol", "small", "span", "strong", "ul"]
    private static let attributes: Set<String> = [
        "aria-current", "aria-label", "class", "href", "hreflang", "id", "lang", "rel", "role", "title",
    ]

    private let bytes: [UInt8]
    private var index = 0
    private var open: [String] = []
    private var hasTag = false

    /// Whether every tag is a known one, opened and closed within `piece`.
    static func isOne(_ piece: [UInt8]) -> Bool {
        var reader = CompletePiece(bytes: piece)
        return reader.read()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func read() -> Bool {
        while index < bytes.count {
            switch bytes[index] {
            case 0x3c: guard readTag() else { return false }
            case 0x00: return false
            // Between the piece's own tags and what is around it stands white space at most.
            case let byte where open.isEmpty && !byte.isHTMLSpace: return false
            default: index += 1
            }
        }
        return hasTag && open.isEmpty
    }

    private mutating func readTag() -> Bool {
        index += 1
        let isEnd = index < bytes.count && bytes[index] == 0x2f
        if isEnd { index += 1 }
        guard let name = readName(), Self.elements.contains(name) else { return false }
        hasTag = true
        while true {
            let hasSpace = skipSpace()
            guard index < bytes.count else { return false }
            if bytes[index] == 0x3e { break }
            guard !isEnd, hasSpace, readAttribute() else { return false }
        }
        index += 1
        if isEnd { return open.popLast() == name }
        if name != "br" { open.append(name) }
        return true
    }

    private mutating func readAttribute() -> Bool {
        guard let name = readName(), Self.attributes.contains(name), take(0x3d), index < bytes.count else {
            return false
        }
        let quote = bytes[index]
        guard quote == 0x22 || quote == 0x27 else { return false }
        index += 1
        let start = index
        while index < bytes.count, bytes[index] != quote {
            // An entity could spell what is looked for here.
            if [0x3c, 0x3e, 0x26, 0x00].contains(bytes[index]) { return false }
            index += 1
        }
        guard index < bytes.count else { return false }
        let value = String(decoding: bytes[start..<index], as: UTF8.self)
        index += 1
        guard name == "href" else { return true }
        if case .inside = SiteAddress(value, in: "index.html") { return true }
        return false
    }

    private mutating func readName() -> String? {
        let start = index
        while index < bytes.count, bytes[index].isLetter || bytes[index] == 0x2d { index += 1 }
        guard index > start else { return nil }
        return String(decoding: bytes[start..<index].map(\.lowercased), as: UTF8.self)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() -> Bool {
        let start = index
        while index < bytes.count, bytes[index].isHTMLSpace { index += 1 }
        return index > start
    }
}
