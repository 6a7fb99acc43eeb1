import Domain

/// A changed file, as a line.
enum FileRow {
    static func values(_ file: ManifestDiff.File) -> [String: Any] {
        let word =
            switch file.change {
            case .added: "added"
            case .modified: "changed"
            case .removed: "removed"
            }
        let before = file.before?.sizeInBytes ?? 0
        let after = file.after?.sizeInBytes ?? 0
        let size =
            switch file.change {
            case .added: Wording.size(after)
            case .removed: Wording.size(before)
            case .modified: Wording.change(from: before, to: after)
            }
        return ["path": file.path.text, "change": word, "size": size]
    }
}
