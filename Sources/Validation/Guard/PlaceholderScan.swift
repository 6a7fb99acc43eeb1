import Domain

/// Finds the words that writers of code leave where the rest should be.
enum PlaceholderScan {
    /// Anywhere in a comment.
    private static let inComments = [
        "rest of the", "rest of your", "rest unchanged", "remaining code", "remaining content", "remaining sections",
        "existing code", "existing content", "existing html", "existing markup", "existing styles", "existing sections",
        "existing scripts", "existing css", "previous code", "previous content", "original content", "original code",
        "unchanged", "remains the same", "remain the same", "stays the same", "same as before", "your code here",
        "your content here", "content goes here", "code goes here", "insert content", "omitted for brevity",
        "truncated for brevity", "for brevity", "code omitted", "content omitted", "keep existing", "rest bleibt",
        "unverändert", "restlicher code", "restlicher inhalt", "bestehender code", "bestehender inhalt",
    ]
    /// Anywhere at all: nobody writes this for visitors.
    private static let anywhere = [
        "rest of the code unchanged", "rest of the code remains", "rest of the page unchanged",
        "rest of the page remains unchanged", "rest of the file unchanged", "rest of the content unchanged",
        "rest of your code here", "[existing content", "[rest of", "... existing content", "… existing content",
        "... rest of the", "… rest of the", "...rest of the", "(existing content", "[unchanged",
    ]

    /// Each once, shortened.
    static func placeholders(in text: String) -> [String] {
        var found: [String] = []
        func note(_ words: String) {
            let shown = words.split(whereSeparator: \.isWhitespace).joined(separator: " ").abridged(to: 100)
            if !found.contains(shown), found.count < 20 { found.append(shown) }
        }
        let bytes = ByteText(text)
        for comment in comments(in: bytes) {
            // A long comment is documentation.
            guard comment.utf8.count <= 300 else { continue }
            let lowered = comment.lowercased()
            if inComments.contains(where: { lowered.contains($0) }) { note(comment) }
        }
        let lowered = ByteText(text.lowercased())
        for phrase in anywhere where found.isEmpty && lowered.contains(phrase) { note(phrase) }
        return found
    }

    /// `<!-- … -->`, `/* … */` and lines that begin with `//`.
    private static func comments(in text: ByteText) -> [String] {
        var found: [String] = []
        for (open, close) in [("<!--", "-->"), ("/*", "*/")] {
            let ends = text.places(of: close, limit: 10_000)
            var index = 0
            for start in text.places(of: open, limit: 10_000) {
                while index < ends.count, ends[index] < start + open.utf8.count { index += 1 }
                guard index < ends.count else { break }
                let end = ends[index] + close.utf8.count
                // A long comment is documentation, and thousands of openings may share one end.
                if end - start <= 300 { found.append(text.text(start..<end)) }
            }
        }
        for start in text.places(of: "//", limit: 10_000) {
            var before = start
            while let byte = text[before - 1], byte == 0x20 || byte == 0x09 { before -= 1 }
            guard text[before - 1] == nil || text[before - 1] == 0x0a else { continue }
            var end = start
            while let byte = text[end], byte != 0x0a { end += 1 }
            found.append(text.text(start..<end))
        }
        return found
    }
}
