/// Something that a host has and the database lacks.
package struct RecoveryFind: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A site that the database does not know; the number is the generation that the host serves.
        case site
        /// The host serves a later generation of the site than was ever asked for.
        case generation
        /// A version that the database does not know, or knows with other content.
        case version
        /// A job that the database does not know; the number is the attempt.
        case job
        /// The host holds a lease that the database never gave; the number is its fence.
        case lease
    }

    package let host: HostID
    package let kind: Kind
    /// The identifier of the site or of the job.
    package let subject: String
    package let site: SiteID?
    package let number: Int64
    /// The digest of the version, or of what the host serves.
    package let digest: ContentDigest?
    package let foundAt: Timestamp
    package let isAccepted: Bool

    package init(
        host: HostID, kind: Kind, subject: String, site: SiteID?, number: Int64, digest: ContentDigest?,
        foundAt: Timestamp, isAccepted: Bool = false
    ) {
        self.host = host
        self.kind = kind
        self.subject = subject
        self.site = site
        self.number = number
        self.digest = digest
        self.foundAt = foundAt
        self.isAccepted = isAccepted
    }
}
