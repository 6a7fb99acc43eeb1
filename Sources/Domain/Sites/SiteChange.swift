/// What is to be another about a site; what is `nil` stays as it is.
package struct SiteChange: Sendable {
    package var name: String?
    package var mode: AddressRules.Mode?
    package var missingPage: String?

    package init(name: String? = nil, mode: AddressRules.Mode? = nil, missingPage: String? = nil) {
        self.name = name
        self.mode = mode
        self.missingPage = missingPage
    }

    /// Whether hosts have to hear of it.
    package var reachesHosts: Bool { mode != nil || missingPage != nil }
}
