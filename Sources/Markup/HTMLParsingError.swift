/// Why a page could not be looked into. None of these is about style: such a page is served, but nobody can check it.
package enum HTMLParsingError: Error, Hashable, Sendable {
    /// The page has more bytes than are looked at.
    case tooLarge
    /// Reading the page would take more memory or processor time than allowed; usually tags nested without end.
    case tooComplex
    /// The parser gave up on the page.
    case unreadable
}
