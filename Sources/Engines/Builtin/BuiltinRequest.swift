/// One thing that the built-in editor was asked for.
enum BuiltinRequest: Equatable, Sendable {
    /// `page` is how the person named it; `nil` is the home page.
    case headline(page: String?, text: String)
    case title(page: String?, text: String)
    case description(page: String?, text: String)
    /// `page` is `nil` for all pages.
    case replace(String, with: String, page: String?)
    case colour(ColourRole, Colour)
    case addPage(String, text: String?)
    case removePage(String)
    case addSection(String, page: String?, text: String?)
    case removeSection(String, page: String?)
}
