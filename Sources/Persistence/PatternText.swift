/// Patterns for `LIKE … ESCAPE '!'`.
enum PatternText {
    /// What has `word` in it; the signs that mean something in a pattern stand for themselves.
    static func containing(_ word: String) -> String {
        "%" + word.map { "!%_".contains($0) ? "!\($0)" : String($0) }.joined() + "%"
    }
}
