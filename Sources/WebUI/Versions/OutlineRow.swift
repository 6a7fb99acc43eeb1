import Coordinator
import Domain

/// What a reader sees of a changed file, as lines.
enum OutlineRow {
    static func values(_ file: VersionComparison.OutlineFile) -> [String: Any] {
        [
            "path": file.file.path.text, "sentence": file.sentence, "hasSentence": !file.sentence.isEmpty,
            "changes": file.entries.map { entry -> [String: Any] in
                var values: [String: Any] = ["change": entry.change.rawValue, "sentence": entry.sentence]
                // A text that was reworded is shown with the words that differ.
                if entry.change == .changed, let before = entry.before, let after = entry.after,
                    before.text != after.text, let diff = TextDiff(from: before.text, to: after.text)
                {
                    values["words"] = diff.values.filter { $0["kind"] as? String != "gap" }
                    values["sentence"] = "Changed \(before.name):"
                }
                return values
            },
        ]
    }
}
