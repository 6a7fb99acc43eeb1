/// One element of an XML answer: its name, its own text, and the elements in it. Attributes are passed over.
///
/// Enough of XML for what S3 says, and no more: no document types, no processing, bounded depth.
struct S3Document: Sendable {
    private static let largestDepth = 16

    let name: String
    private(set) var text = ""
    private(set) var children: [S3Document] = []

    /// The root of a document; `nil` when it is not well formed.
    init?(_ bytes: some Sequence<UInt8>) {
        var rest = Array(bytes)[...]
        var open: [S3Document] = []
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            if !open.isEmpty { open[open.count - 1].text += Self.unescaped(rest[..<start]) }
            rest = rest[start...].dropFirst()
            if rest.starts(with: Array("!--".utf8)) {
                guard let end = rest.firstRange(of: Array("-->".utf8)) else { return nil }
                rest = rest[end.upperBound...]
                continue
            }
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return nil }
            let tag = rest[..<end]
            rest = rest[end...].dropFirst()
            switch tag.first {
            case UInt8(ascii: "?"): continue
            case UInt8(ascii: "/"):
                guard let element = open.popLast(),
                    element.name == String(decoding: tag.dropFirst(), as: UTF8.self).filter({ !$0.isWhitespace })
                else { return nil }
                guard !open.isEmpty else {
                    self = element
                    return
                }
                open[open.count - 1].children.append(element)
            case nil, UInt8(ascii: "!"): return nil
            default:
                let isEmpty = tag.last == UInt8(ascii: "/")
                let name = tag.prefix { $0 != UInt8(ascii: "/") && $0 > 0x20 }
                let element = S3Document(named: String(decoding: name, as: UTF8.self))
                guard !isEmpty else {
                    guard !open.isEmpty else { return nil }
                    open[open.count - 1].children.append(element)
                    continue
                }
                guard open.count < Self.largestDepth else { return nil }
                open.append(element)
            }
        }
        return nil
    }

    private init(named name: String) {
        self.name = name
    }

    /// The text of the first element of this name.
    subscript(name: String) -> String? { children.first { $0.name == name }?.text }

    func all(_ name: String) -> [S3Document] { children.filter { $0.name == name } }

    static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            default: String(character)
            }
        }.joined()
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        var result = ""
        var rest = text[...]
        while let ampersand = rest.firstIndex(of: "&") {
            result += rest[..<ampersand]
            guard let end = rest[ampersand...].firstIndex(of: ";") else { break }
            let entity = rest[ampersand..<end].dropFirst()
            switch entity {
            case "amp": result += "&"
            case "lt": result += "<"
            case "gt": result += ">"
            case "quot": result += "\""
            case "apos": result += "'"
            default:
                let number =
                    entity.hasPrefix("#x")
                    ? UInt32(entity.dropFirst(2), radix: 16) : UInt32(entity.dropFirst().description)
                if entity.hasPrefix("#"), let scalar = number.flatMap(Unicode.Scalar.init) {
                    result.unicodeScalars.append(scalar)
                }
            }
            rest = rest[end...].dropFirst()
        }
        return result + rest
    }
}
