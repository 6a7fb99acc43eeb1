package import Domain

/// What a timeline tells of versions beside what they are.
package struct VersionTimeline: Sendable {
    /// What was asked for, of those that an edit made.
    package let prompts: [VersionNumber: String]
    /// The start page at a glance, of those that a browser looked at.
    package let thumbnails: [VersionNumber: ContentDigest]
    /// What the authors are called.
    package let authors: [UserID: String]
}
