/// Why a request is not carried out, in words for the person who made it.
struct BuiltinRefusal: Error, Equatable {
    let message: String

    init(_ message: String) { self.message = message }

    static func notUnderstood(_ sentence: String) -> BuiltinRefusal {
        BuiltinRefusal("I did not understand \(sentence.quoted).\n\n\(capabilities)")
    }

    /// What the editor can do, with examples that work as they are.
    static let capabilities = """
        I am the built-in editor. I follow fixed rules and use no AI, so I understand only requests like these:
        • Change the headline to "Fresh bread every day"
        • Change the headline of about.html to "Who we are"
        • Change the title of the about page to "About us"
        • Change the description to "A bakery by the harbour"
        • Replace "Monday" with "Tuesday" (on every page, or add: on contact.html)
        • Change the accent colour to teal (also: background, text, link, button, heading; a name or #1f7a5c)
        • Add a page called "Opening hours" saying "We are open from 7 to 5."
        • Remove the page "Opening hours"
        • Add a section called "News" to about.html saying "We have moved."
        • Remove the section "News" from about.html
        Put the words that I should write between quotation marks. Several requests can follow one another, each as a sentence or on a line of its own.
        """
}

extension String {
    /// Between quotation marks, cut when it is long.
    var quoted: String { "\"" + (count <= 160 ? self : prefix(159) + "…") + "\"" }
}
