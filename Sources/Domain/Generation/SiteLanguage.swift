/// A language that pages are written in; the raw value is the `lang` of the page.
package enum SiteLanguage: String, Sendable, Hashable, CaseIterable, Codable {
    case english = "en"
    case german = "de"
}
