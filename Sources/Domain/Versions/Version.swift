/// An immutable, validated state of a site, and where it came from.
package struct Version: Sendable, Equatable {
    package enum Origin: Sendable, Equatable {
        case template(String)
        case upload
        case edit(EditID, job: JobID, engine: EngineName)
    }

    package let site: SiteID
    package let number: VersionNumber
    /// The SHA-256 of the manifest.
    package let digest: ContentDigest
    /// The version that this one was made from; `nil` for a first version.
    package let parent: VersionNumber?
    package let origin: Origin
    package let author: UserID
    /// What changed, for people.
    package let summary: String
    package let files: Int
    package let totalSizeInBytes: Int64
    /// The warnings that it was stored with, and what a browser found later.
    package let findings: [Finding]
    /// Ed25519 over ``statement``, by the coordinator's version key.
    package let signature: [UInt8]
    package let createdAt: Timestamp

    package init(
        site: SiteID, number: VersionNumber, digest: ContentDigest, parent: VersionNumber?, origin: Origin,
        author: UserID, summary: String, files: Int, totalSizeInBytes: Int64, findings: [Finding],
        signature: [UInt8], createdAt: Timestamp
    ) {
        self.site = site
        self.number = number
        self.digest = digest
        self.parent = parent
        self.origin = origin
        self.author = author
        self.summary = summary
        self.files = files
        self.totalSizeInBytes = totalSizeInBytes
        self.findings = findings
        self.signature = signature
        self.createdAt = createdAt
    }

    /// What a browser found worse than in the version before and nobody accepted: it keeps this one from going live.
    package var openFindings: [Finding] { findings.filter { $0.severity == .error } }

    /// What the signature covers: this digest is that version of that site, and no other's.
    package static func statement(site: SiteID, number: VersionNumber, digest: ContentDigest) -> String {
        "pagewright-version-1\n\(site)\n\(number)\n\(digest)\n"
    }
}
