/// A talk about a site: what was asked, in order, so that the next request can refer to it.
///
/// The newest conversation of a site is its current one; an edit that names none belongs to it.
package struct Conversation: Sendable, Identifiable, Equatable {
    package let id: ConversationID
    package let site: SiteID
    /// What it is about, in a few words.
    package let title: String
    package let startedBy: UserID
    package let createdAt: Timestamp

    package init(id: ConversationID, site: SiteID, title: String, startedBy: UserID, createdAt: Timestamp) {
        self.id = id
        self.site = site
        self.title = title.split(whereSeparator: \.isWhitespace).joined(separator: " ").abridged(to: 100)
        self.startedBy = startedBy
        self.createdAt = createdAt
    }
}
