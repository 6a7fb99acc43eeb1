/// What a user owns: a name, versions, and two pointers into them.
package struct Site: Sendable, Identifiable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case `static`
    }

    /// What visitors see while the site is being worked on.
    package struct Maintenance: Sendable, Equatable {
        /// At most 500 characters of plain text, shown on the page.
        package let message: String

        package init(message: String) throws(ServiceError) {
            guard message.count <= 500 else {
                throw ServiceError(
                    .invalidArgument, "the maintenance message is longer than 500 characters", field: "message",
                    rule: "maintenance-message")
            }
            self.message = message
        }
    }

    package let id: SiteID
    package let owner: UserID
    package let slug: Slug
    package var name: String
    package let kind: Kind
    /// What visitors see; `nil` before the first release.
    package private(set) var live: VersionNumber?
    /// What the preview address shows; `nil` before the first version.
    package private(set) var preview: VersionNumber?
    /// What was live before, so that pages opened then still find their assets; `nil` before the second release.
    package private(set) var previous: VersionNumber?
    package private(set) var lastVersion: VersionNumber?
    package private(set) var lastRelease: Int
    package private(set) var fence: Fence
    package var maintenance: Maintenance?
    package var addresses: AddressRules
    /// What edits it when an edit does not say; `nil` is the installation's choice.
    package var engine: EngineName?
    package let createdAt: Timestamp

    package init(
        id: SiteID, owner: UserID, slug: Slug, name: String, kind: Kind = .static, live: VersionNumber? = nil,
        preview: VersionNumber? = nil, previous: VersionNumber? = nil, lastVersion: VersionNumber? = nil,
        lastRelease: Int = 0, fence: Fence = .zero, maintenance: Maintenance? = nil,
        addresses: AddressRules = .standard, engine: EngineName? = nil, createdAt: Timestamp
    ) {
        self.id = id
        self.owner = owner
        self.slug = slug
        self.name = name
        self.kind = kind
        self.live = live
        self.preview = preview
        self.previous = previous
        self.lastVersion = lastVersion
        self.lastRelease = lastRelease
        self.fence = fence
        self.maintenance = maintenance
        self.addresses = addresses
        self.engine = engine
        self.createdAt = createdAt
    }

    /// The number that the next version of this site has; it never gives one twice.
    package mutating func takeVersionNumber() -> VersionNumber {
        let next = lastVersion?.next ?? .first
        lastVersion = next
        return next
    }

    /// Makes every lease granted so far stale, and returns the fence of the next one.
    package mutating func raiseFence() -> Fence {
        fence = fence.next
        return fence
    }

    /// Lifts the fence into an incarnation of the database, above every fence of those before.
    package mutating func enter(incarnation: Int16) { fence = max(fence, Fence(incarnation: incarnation)) }

    /// Whether a write under `lease` may take effect: it is the one that `host` holds now, in all its numbers, and
    /// nothing of the site was granted or taken back since, but for siblings of a try.
    package func admits(_ lease: JobLease, of host: HostID, on job: Job) -> Bool {
        guard job.grant?.lease == lease, job.grant?.host == host else { return false }
        // Siblings are granted and end while this one is worked on, and each of that raises the fence. What makes its
        // earlier attempts harmless is its own row, and across a restore the incarnation.
        guard job.trial != nil else { return fence == lease.fence }
        return lease.fence <= fence && lease.fence.incarnation == fence.incarnation
    }

    /// Shows `version` at the preview address.
    package mutating func showPreview(of version: VersionNumber) throws(ServiceError) {
        try requireExisting(version)
        preview = version
    }

    /// Points `live` at `version`. Rolling back is promoting an older one.
    package mutating func promote(
        _ version: VersionNumber, by user: UserID, at now: Timestamp
    ) throws(ServiceError) -> Release {
        try requireExisting(version)
        guard version != live else {
            throw ServiceError(
                .conflict, "version \(version) is live already", field: "version", rule: "already-live")
        }
        previous = live
        live = version
        lastRelease += 1
        return Release(
            site: id, number: lastRelease, version: version, replaced: previous, releasedBy: user, releasedAt: now)
    }

    private func requireExisting(_ version: VersionNumber) throws(ServiceError) {
        guard let lastVersion, version <= lastVersion else {
            throw ServiceError(.notFound, "\(slug) has no version \(version)", field: "version")
        }
    }

    /// A name that people read: 1 to 100 characters, no line breaks.
    package static func validName(_ text: String) throws(ServiceError) -> String {
        let name = text.trimmed
        guard (1...100).contains(name.count), !name.contains(where: \.isNewline) else {
            throw ServiceError(
                .invalidArgument, "the name must have 1 to 100 characters on one line", field: "name",
                rule: "name-length")
        }
        return name
    }
}
