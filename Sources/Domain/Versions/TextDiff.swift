/// What changed between two texts, line by line, with a few lines around each change.
package struct TextDiff: Sendable, Equatable {
    package enum Line: Sendable, Equatable {
        case same(String)
        case removed(String)
        case added(String)
        /// Lines that are the same and not shown.
        case gap(Int)
    }

    /// A run of characters of a changed line.
    package struct Piece: Sendable, Equatable {
        package let text: String
        /// Whether it is what differs from the line that this one was, or became.
        package let isChanged: Bool

        package init(_ text: String, isChanged: Bool) {
            self.text = text
            self.isChanged = isChanged
        }
    }

    /// Comparing takes time that grows with the number of changes.
    package static let lineLimit = 2000
    private static let context = 3
    /// How many words of a line are compared one by one.
    private static let wordLimit = 100

    package let lines: [Line]
    package let added: Int
    package let removed: Int

    /// `nil` when one of the texts is too long to compare.
    package init?(from base: String, to target: String) {
        let before = base.split(separator: "\n", omittingEmptySubsequences: false)
        let after = target.split(separator: "\n", omittingEmptySubsequences: false)
        guard before.count <= Self.lineLimit, after.count <= Self.lineLimit else { return nil }
        // What only one side has is in no common sequence; without it, far less is compared.
        let inBefore = Set(before)
        let inAfter = Set(after)
        var gone = Set(before.indices.filter { !inAfter.contains(before[$0]) })
        var new = Set(after.indices.filter { !inBefore.contains(after[$0]) })
        let stayed = before.indices.filter { !gone.contains($0) }
        let known = after.indices.filter { !new.contains($0) }
        for change in known.map({ after[$0] }).difference(from: stayed.map { before[$0] }) {
            switch change {
            case .remove(let offset, _, _): gone.insert(stayed[offset])
            case .insert(let offset, _, _): new.insert(known[offset])
            }
        }
        var all: [Line] = []
        var left = 0
        var right = 0
        while left < before.count || right < after.count {
            if left < before.count, gone.contains(left) {
                all.append(.removed(String(before[left])))
                left += 1
            } else if right < after.count, new.contains(right) {
                all.append(.added(String(after[right])))
                right += 1
            } else {
                all.append(.same(String(after[right])))
                left += 1
                right += 1
            }
        }
        added = new.count
        removed = gone.count
        lines = Self.folded(all)
    }

    /// Replaces long runs of what is the same by their number.
    private static func folded(_ all: [Line]) -> [Line] {
        var isNear = [Bool](repeating: false, count: all.count)
        for (index, line) in all.enumerated() {
            if case .same = line { continue }
            for near in max(0, index - context)...min(all.count - 1, index + context) { isNear[near] = true }
        }
        var folded: [Line] = []
        var hidden = 0
        for (index, line) in all.enumerated() {
            if isNear[index] {
                if hidden > 0 { folded.append(.gap(hidden)) }
                hidden = 0
                folded.append(line)
            } else {
                hidden += 1
            }
        }
        if hidden > 0, !folded.isEmpty { folded.append(.gap(hidden)) }
        return folded
    }

    /// For each of ``lines`` its pieces: what differs from the line in the same place on the other side is marked. Of
    /// lines that have no counterpart, and of those that did not change, nothing is.
    package var pieces: [[Piece]] {
        var result = lines.map { line -> [Piece] in
            switch line {
            case .same(let text), .removed(let text), .added(let text): [Piece(text, isChanged: false)]
            case .gap: []
            }
        }
        var index = 0
        while index < lines.count {
            let removed = run(from: index) { if case .removed = $0 { true } else { false } }
            let added = run(from: removed.upperBound) { if case .added = $0 { true } else { false } }
            for (old, new) in zip(removed, added) {
                guard case .removed(let before) = lines[old], case .added(let after) = lines[new] else { continue }
                if let (left, right) = Self.marked(before, after) { (result[old], result[new]) = (left, right) }
            }
            index = max(index + 1, added.upperBound)
        }
        return result
    }

    private func run(from start: Int, where belongs: (Line) -> Bool) -> Range<Int> {
        var end = start
        while end < lines.count, belongs(lines[end]) { end += 1 }
        return start..<end
    }

    /// The differing words of two lines; `nil` when the lines have too little in common for that to help.
    private static func marked(_ before: String, _ after: String) -> (old: [Piece], new: [Piece])? {
        let old = tokens(of: before)
        let new = tokens(of: after)
        guard old.count <= wordLimit, new.count <= wordLimit else { return nil }
        var gone = [Bool](repeating: false, count: old.count)
        var came = [Bool](repeating: false, count: new.count)
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, _, _): gone[offset] = true
            case .insert(let offset, _, _): came[offset] = true
            }
        }
        let kept = old.indices.filter { !gone[$0] && old[$0].contains { !$0.isWhitespace } }.count
        guard kept > 0 else { return nil }
        return (joined(old, gone), joined(new, came))
    }

    /// Words, runs of blanks, and every other character by itself.
    private static func tokens(of line: String) -> [Substring] {
        func kind(_ character: Character) -> Int {
            if character.isLetter || character.isNumber || character == "_" { return 0 }
            return character.isWhitespace ? 1 : 2
        }
        var tokens: [Substring] = []
        var start = line.startIndex
        while start < line.endIndex {
            let first = kind(line[start])
            var end = line.index(after: start)
            if first != 2 { while end < line.endIndex, kind(line[end]) == first { end = line.index(after: end) } }
            tokens.append(line[start..<end])
            start = end
        }
        return tokens
    }

    private static func joined(_ tokens: [Substring], _ marks: [Bool]) -> [Piece] {
        var pieces: [Piece] = []
        var index = 0
        while index < tokens.count {
            var text = ""
            let mark = marks[index]
            while index < tokens.count, marks[index] == mark {
                text += tokens[index]
                index += 1
            }
            pieces.append(Piece(text, isChanged: mark))
        }
        return pieces
    }
}
