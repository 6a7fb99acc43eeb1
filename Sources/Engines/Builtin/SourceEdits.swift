/// Replacements of ranges of one source. All else stays as it is, byte for byte.
struct SourceEdits {
    private var edits: [(range: Range<Int>, text: [UInt8], order: Int)] = []

    var isEmpty: Bool { edits.isEmpty }

    mutating func replace(_ range: Range<Int>, with text: String) {
        edits.append((range, Array(text.utf8), edits.count))
    }

    mutating func insert(_ text: String, at offset: Int) { replace(offset..<offset, with: text) }

    mutating func remove(_ range: Range<Int>) { replace(range, with: "") }

    /// The edited source. Of two that overlap, the one that begins first and reaches further is done.
    func applied(to source: [UInt8]) -> [UInt8] {
        let sorted = edits.sorted {
            ($0.range.lowerBound, -$0.range.upperBound, $0.order) < (
                $1.range.lowerBound, -$1.range.upperBound, $1.order
            )
        }
        var result: [UInt8] = []
        result.reserveCapacity(source.count + 256)
        var done = 0
        for edit in sorted where edit.range.lowerBound >= done && edit.range.upperBound <= source.count {
            result += source[done..<edit.range.lowerBound]
            result += edit.text
            done = edit.range.upperBound
        }
        return result + source[done...]
    }
}

extension String {
    /// For between tags.
    var escapedForText: String {
        replacingEach(["&": "&amp;", "<": "&lt;", ">": "&gt;"])
    }

    /// For between the quotation marks of an attribute.
    var escapedForAttribute: String {
        replacingEach(["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"])
    }

    private func replacingEach(_ table: [Character: String]) -> String {
        reduce(into: "") { result, character in
            if let other = table[character] { result += other } else { result.append(character) }
        }
    }
}
