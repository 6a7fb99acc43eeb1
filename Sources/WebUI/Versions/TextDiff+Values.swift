import Domain

extension TextDiff {
    /// For the template: `{kind, mark, pieces: [{text, isChanged}]}` each.
    var values: [[String: Any]] {
        zip(lines, pieces).map { line, pieces in
            let (kind, mark) =
                switch line {
                case .same: ("same", " ")
                case .removed: ("removed", "−")
                case .added: ("added", "+")
                case .gap: ("gap", "⋯")
                }
            var shown = pieces.map { ["text": $0.text, "isChanged": $0.isChanged] as [String: Any] }
            if case .gap(let count) = line {
                shown = [["text": "\(Wording.count(count, "line")) unchanged", "isChanged": false]]
            }
            return ["kind": kind, "mark": mark, "pieces": shown]
        }
    }
}
