/// Where a file is within a site: relative, `/` between components, safe on every file system that we use.
package struct SitePath: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let maximumComponentLength = 255
    package static let maximumDepth = 32
    package let text: String

    /// Refuses what could leave the site or surprise a file system: empty, absolute, `.` and `..`, control bytes,
    /// backslashes, components over 255 bytes, more than 32 components, text that is not NFC UTF-8.
    package init(_ text: String) throws(ServiceError) {
        if Self.isPlain(text) {
            self.text = text
            return
        }
        func refuse(_ rule: String, _ why: String) -> ServiceError {
            let shown = String(
                String.UnicodeScalarView(text.unicodeScalars.prefix(120).map { $0.value < 0x20 ? "\u{FFFD}" : $0 }))
            return ServiceError(.validationFailed, "the path \"\(shown)\" \(why)", field: "path", rule: rule)
        }
        guard !text.isEmpty else { throw refuse("path-empty", "is empty") }
        guard text.utf8.first != 0x2f else { throw refuse("path-absolute", "is absolute") }
        guard text.utf8.count <= 4096 else { throw refuse("path-length", "is longer than 4,096 bytes") }
        let isPlainASCII = text.utf8.allSatisfy { $0 < 0x80 }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw refuse("path-control-byte", "has a control character")
        }
        guard !text.utf8.contains(0x5c) else { throw refuse("path-backslash", "has a backslash") }
        if !isPlainASCII {
            guard !text.unicodeScalars.contains(where: { $0.value == 0xFFFD || (0x80...0x9f).contains($0.value) })
            else {
                throw refuse("path-encoding", "is not proper UTF-8")
            }
            guard text.isNormalizedNFC else { throw refuse("path-normal-form", "is not in Unicode normal form C") }
        }
        let components = text.utf8.split(separator: 0x2f, omittingEmptySubsequences: false)
        guard components.count <= Self.maximumDepth else {
            throw refuse("path-depth", "has more than \(Self.maximumDepth) folders")
        }
        for component in components {
            guard !component.isEmpty else { throw refuse("path-empty-component", "has an empty part") }
            guard component.count <= Self.maximumComponentLength else {
                throw refuse("path-length", "has a part longer than \(Self.maximumComponentLength) bytes")
            }
            guard !(component.count == 1 && component.first == 0x2e) else {
                throw refuse("path-dot", "has a part \".\"")
            }
            guard !component.elementsEqual([0x2e, 0x2e]) else {
                throw refuse("path-traversal", "has a part \"..\", which would leave the site")
            }
        }
        self.text = text
    }

    /// Whether nothing in the text needs a closer look, as is so for almost all paths: one pass over the bytes.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { bytes in
            guard !bytes.isEmpty, bytes.count <= maximumComponentLength else { return false }
            var start = 0
            var depth = 1
            for (index, byte) in bytes.enumerated() {
                if byte == 0x2f {
                    // Empty, or only dots as far as this looks.
                    guard index > start, bytes[start] != 0x2e else { return false }
                    start = index + 1
                    depth += 1
                } else if byte < 0x20 || byte >= 0x7f || byte == 0x5c {
                    return false
                }
            }
            return start < bytes.count && bytes[start] != 0x2e && depth <= maximumDepth
        } ?? false
    }

    package var components: [Substring] { text.split(separator: "/") }

    /// What is behind the last slash.
    package var name: String {
        text.utf8.lastIndex(of: 0x2f).map { String(text[text.utf8.index(after: $0)...]) } ?? text
    }

    /// The folder, without a slash at the end; empty at the top.
    package var folder: String { text.utf8.lastIndex(of: 0x2f).map { String(text[..<$0]) } ?? "" }

    /// The part after the last dot of the name, in lower case; empty when there is none.
    package var fileExtension: String {
        let bytes = text.utf8
        var index = bytes.endIndex
        while index > bytes.startIndex {
            let end = index
            bytes.formIndex(before: &index)
            if bytes[index] == 0x2f { return "" }
            guard bytes[index] == 0x2e else { continue }
            // A name that begins with its only dot has no extension.
            guard index > bytes.startIndex, bytes[bytes.index(before: index)] != 0x2f else { return "" }
            return text[end...].lowercased()
        }
        return ""
    }

    package var isHTML: Bool { fileExtension == "html" || fileExtension == "htm" }

    /// Whether a part of it begins with a dot, `.well-known` at the top excepted.
    package var isHidden: Bool {
        components.enumerated().contains { index, part in
            part.hasPrefix(".") && !(index == 0 && part == ".well-known")
        }
    }

    /// What two paths share that differ only in case, so that they cannot live side by side everywhere.
    package var caseFolded: String { text.lowercased() }

    package var description: String { text }

    /// By bytes, as manifests are sorted.
    package static func < (left: Self, right: Self) -> Bool { order(left.text, right.text) < 0 }

    /// Negative when `left` comes first, 0 when both have the same bytes.
    private static func order(_ left: String, _ right: String) -> Int {
        let order = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in
                for index in 0..<min(left.count, right.count) where left[index] != right[index] {
                    return Int(left[index]) - Int(right[index])
                }
                return left.count - right.count
            }
        }
        if let order, let order { return order }
        if left.utf8.lexicographicallyPrecedes(right.utf8) { return -1 }
        return right.utf8.lexicographicallyPrecedes(left.utf8) ? 1 : 0
    }
}

extension String {
    /// Whether the text equals its own Unicode normal form C, scalar by scalar.
    ///
    /// The standard library compares strings by canonical equivalence and keeps the normal form to itself, so this
    /// asks with characters: a character that is written with more scalars than an equivalent one needs is not NFC.
    fileprivate var isNormalizedNFC: Bool {
        // Decomposed sequences of a letter and a combining mark are what file systems and archives really produce.
        allSatisfy { character in
            guard character.unicodeScalars.count > 1 else {
                return !Self.singletonDecompositions.contains(character.unicodeScalars.first!.value)
            }
            guard let precomposed = Self.precomposed[character] else { return true }
            return precomposed == character.unicodeScalars.count
        }
    }

    /// Compatibility look-alikes that normal form C replaces by another single scalar.
    private static let singletonDecompositions: Set<UInt32> = [0x212A, 0x212B, 0x2126, 0x1F71, 0x1FBE, 0x037E, 0x0387]

    /// Characters that have a one-scalar form, by canonical equivalence.
    private static let precomposed: [Character: Int] = {
        var table: [Character: Int] = [:]
        let ranges: [ClosedRange<UInt32>] = [
            0xC0...0x24F, 0x370...0x52F, 0x1E00...0x1FFF, 0x3040...0x30FF, 0xAC00...0xD7A3,
        ]
        for range in ranges {
            for value in range {
                guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory != .unassigned else {
                    continue
                }
                table[Character(scalar)] = 1
            }
        }
        return table
    }()
}
