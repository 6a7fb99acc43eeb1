/// What changed between two texts, line by line, with a few lines around each change.
struct TextDiff: Equatable {
    enum Line: Equatable {
        case same(String)
        case removed(String)
        case added(String)
        /// Lines that are the same and not shown.
        case gap(Int)
    }

    /// Comparing takes time that grows with the number of changes.
    static let lineLimit = 4000
    private static let context = 3

    let lines: [Line]
    let added: Int
    let removed: Int

    /// `nil` when one of the texts is too long to compare.
    init?(from base: String, to target: String) {
        let before = base.split(separator: "\n", omittingEmptySubsequences: false)
        let after = target.split(separator: "\n", omittingEmptySubsequences: false)
        guard before.count <= Self.lineLimit, after.count <= Self.lineLimit else { return nil }
        let difference = after.difference(from: before)
        var gone: Set<Int> = []
        var new: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): gone.insert(offset)
            case .insert(let offset, _, _): new.insert(offset)
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

    /// For the template: `{kind, mark, text}` each.
    var values: [[String: Any]] {
        lines.map { line in
            switch line {
            case .same(let text): ["kind": "same", "mark": " ", "text": text]
            case .removed(let text): ["kind": "removed", "mark": "−", "text": text]
            case .added(let text): ["kind": "added", "mark": "+", "text": text]
            case .gap(let count): ["kind": "gap", "mark": "⋯", "text": "\(Wording.count(count, "line")) unchanged"]
            }
        }
    }
}
