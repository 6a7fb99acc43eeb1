import Domain

extension TextDiff {
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
