/// What differs between two versions, as lines for a terminal.
struct DiffText {
    let diff: DiffBody
    let view: DiffCommand.View
    let usesColour: Bool

    var lines: [String] {
        if view == .findings { return findings }
        if view == .screens { return screens }
        guard !diff.files.isEmpty else { return ["Both hold the same files."] }
        switch view {
        case .files, .findings, .screens: return files
        case .text: return diff.files.flatMap(text)
        case .outline: return diff.files.flatMap(outline)
        }
    }

    private var files: [String] {
        let counts = ["added", "modified", "removed"].map { change in
            "\(diff.files.filter { $0.change == change }.count) \(change)"
        }
        return diff.files.map(\.line) + [counts.joined(separator: ", ")]
    }

    private func text(_ file: DiffBody.File) -> [String] {
        let head = "--- \(file.path) (\(file.change))"
        guard let text = file.text else { return [head] }
        guard text.state == "text" else {
            return [head, text.state == "binary" ? "  no text" : "  too large to compare"]
        }
        return [head]
            + text.lines.map { line in
                switch line.kind {
                case "removed": marked(line, sign: "-", colour: "31")
                case "added": marked(line, sign: "+", colour: "32")
                case "gap": "  … \(Wording.count(line.hidden, "line")) unchanged"
                default: "  " + line.pieces.map { plain($0.text) }.joined()
                }
            }
    }

    /// What differs within the line is bright on a terminal; without colours it stands between signs.
    private func marked(_ line: DiffBody.Text.Line, sign: String, colour: String) -> String {
        let isWhole = line.pieces.allSatisfy { !$0.changed }
        let text = line.pieces.map { piece in
            let text = plain(piece.text)
            guard piece.changed, !isWhole else { return text }
            if usesColour { return "\u{1b}[7m\(text)\u{1b}[27m" }
            return sign == "-" ? "[-\(text)-]" : "{+\(text)+}"
        }.joined()
        return usesColour ? "\u{1b}[\(colour)m\(sign) \(text)\u{1b}[0m" : "\(sign) \(text)"
    }

    /// What a site says must not steer the terminal.
    private func plain(_ text: String) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = (scalar.value < 0x20 && scalar != "\t") || (0x7f...0x9f).contains(scalar.value)
            plain.append(isControl ? "\u{fffd}" : scalar)
        }
        return String(plain)
    }

    private func outline(_ file: DiffBody.File) -> [String] {
        guard let outline = file.outline else { return [file.line] }
        var lines = [file.path]
        if !outline.sentence.isEmpty { lines.append("  \(outline.sentence)") }
        return lines + outline.changes.map { "  \($0.sentence)" }
    }

    private var screens: [String] {
        guard let screens = diff.screens else { return ["Nothing is known of pictures."] }
        var lines = screens.pairs.map { pair in
            let sides = [(pair.before, pair.inBefore), (pair.after, pair.inAfter)].map { screen, isThere in
                screen.map { "version \($0.version)" } ?? (isThere ? "no picture" : "no such page")
            }
            var line = "\(plain(pair.page))  \(pair.width) px  \(sides[0]) | \(sides[1])"
            if pair.same {
                line += "  looks the same"
            } else if let changes = pair.changes {
                line += "  \(Wording.count(changes.count, "changed place"))"
            }
            return line
        }
        if screens.pairs.isEmpty { lines = ["No page looks different."] }
        for (version, pages) in [(diff.from, screens.absentBefore), (diff.to, screens.absentAfter)] where !pages.isEmpty
        {
            lines.append(
                "Version \(version ?? 0) has no picture of \(pages.map(plain).joined(separator: ", ")). "
                    + "Have them taken with --take.")
        }
        return lines
    }

    private var findings: [String] {
        guard let delta = diff.delta else { return ["Nothing is known of the findings."] }
        let grown = delta.bytesAfter - delta.bytesBefore
        var lines = [
            "Weight    \(Wording.size(delta.bytesBefore)) -> \(Wording.size(delta.bytesAfter)) "
                + "(\(grown < 0 ? "-" : "+")\(Wording.size(abs(grown))))"
        ]
        lines.append("Files     \(diff.files.count) changed")
        lines.append("New       \(Wording.count(delta.appeared.count, "finding"))")
        lines += delta.appeared.map { "  \($0.line)" }
        lines.append("Gone      \(Wording.count(delta.vanished.count, "finding"))")
        return lines + delta.vanished.map { "  \($0.line)" }
    }
}
