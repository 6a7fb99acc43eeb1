/// How much of a model a request needs. A guess from the words alone, so that the same request always goes to the same
/// model; a wrong guess costs money or quality, never correctness.
package enum TaskSize: String, Sendable, CaseIterable {
    /// A word, a price, a colour, a link.
    case small
    /// Something new: a page, a text, a design.
    case large

    private static let longestSmall = 240
    /// Beginnings of words that ask for something to be thought up.
    private static let creative = [
        "redesign", "design", "rewrite", "rework", "restyle", "restructure", "overhaul", "create", "generate", "invent",
        "write", "translate", "page", "section", "layout", "animat", "gallery", "form", "whole", "entire", "every",
        "entwirf", "entwerf", "gestalt", "schreib", "erstell", "übersetz", "seite", "abschnitt",
    ]

    package init(of prompt: Prompt) {
        let text = prompt.text.lowercased()
        let words = text.split { !$0.isLetter }
        let isCreative = words.contains { word in Self.creative.contains { word.hasPrefix($0) } }
        let lines = text.split(whereSeparator: \.isNewline).count
        self = text.count > Self.longestSmall || lines > 2 || isCreative ? .large : .small
    }
}
