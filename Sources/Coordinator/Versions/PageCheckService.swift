package import Artifacts
package import Database
package import Domain
package import Logging
package import Persistence

/// What browsers saw of versions: takes the reports of workers, which come after the versions, and shows them.
package struct PageCheckService: Sendable {
    /// How far the look at a version is.
    package struct View: Sendable {
        package let site: Site
        package let version: Version
        /// `nil` when no browser was to look at it.
        package let checks: VersionChecks?
        /// Also when no browser was to look at it: then those that were taken to compare the version after it.
        package let pictures: [VersionChecks.Picture]
        /// Until when promoting the version waits for what the browser says; `nil` when it does not.
        package let awaitedUntil: Timestamp?

        /// Findings of the browser, of this version or of pages that did not change since an older one.
        package var findings: [Finding] { version.findings.filter { PageChecks.rules.contains($0.rule) } }
    }

    let database: any SQLDatabase
    let stores: Stores
    private let blobs: any BlobStore
    let manifests: ManifestCache
    private let feed: EventFeed
    private let clock: any WallClock
    private let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, blobs: any BlobStore, manifests: ManifestCache, feed: EventFeed,
        clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.blobs = blobs
        self.manifests = manifests
        self.feed = feed
        self.clock = clock
        self.logger = logger
    }

    /// How many pictures a version has at most, with those of pages that did not change.
    private static let picturesLimit = 4 * PageChecks.pictureLimit

    // MARK: Reports

    /// Adds what a worker saw to the version that it made, once: the findings, the pictures and the list of checks, in one
    /// transaction. The same report again changes nothing.
    ///
    /// - Throws: `permissionDenied` when this host's report is not waited for, `invalidArgument` with rule `page-checks` when
    ///   it is not about the version, `failedPrecondition` with rule `picture-missing` when a picture did not come before.
    package func report(_ report: PageChecks, of lease: JobLease, from host: HostID) async throws {
        guard let subject = try await subject(of: lease, from: host) else { return }
        let manifest = try await manifests.manifest(subject.version.digest)
        var before: Manifest?
        if let parent = subject.parent { before = try await manifests.manifest(parent.digest) }
        // A look has nothing to compare with.
        if let flaw = report.flaw(in: manifest, since: subject.isLook ? nil : before) {
            throw ServiceError(.invalidArgument, "the report is refused: \(flaw)", field: "report", rule: "page-checks")
        }
        // Before the look, so that a garbage collection after it is noticed.
        let sweeps = try await database.read { try await stores.condemnedBlobs.sweeps(in: $0) }
        for picture in report.pictures + report.before { try await require(picture) }
        let affected: Set<SitePath> =
            if let before {
                Set(ManifestDelta(from: before, to: manifest).affectedPages(of: manifest))
            } else {
                Set(manifest.entries.map(\.path))
            }
        let now = clock.now()
        let isTaken = try await database.withTransaction(on: .only([subject.site.id.text])) { transaction in
            try await requireKept(
                Set((report.pictures + report.before).map(\.digest)), since: sweeps, in: transaction)
            return try await add(
                report, to: subject, stillValid: { manifest.entry(at: $0) != nil && !affected.contains($0) },
                by: host, at: now, in: transaction)
        }
        guard isTaken else { return }
        feed.announce()
        logger.notice(
            "Added what a browser saw",
            metadata: [
                "site.id": "\(subject.site.id)", "version.number": "\(subject.version.number)",
                "findings": "\(report.findings.count)", "pictures": "\(report.pictures.count)",
            ])
    }

    private struct Subject: Sendable {
        let site: Site
        let version: Version
        let parent: Version?
        /// Whether somebody asked for pictures of a version that was there already.
        let isLook: Bool
    }

    /// `nil` when the report was taken before.
    private func subject(of lease: JobLease, from host: HostID) async throws -> Subject? {
        let now = clock.now()
        return try await database.read { transaction in
            guard let checks = try await stores.checks.find(job: lease.job, in: transaction),
                checks.lease == lease, checks.host == host,
                let site = try await stores.sites.find(checks.site, in: transaction),
                let version = try await stores.versions.find(checks.version, of: site.id, in: transaction)
            else {
                throw ServiceError(
                    .permissionDenied, "no report about the pages of \(lease.job) is waited for", rule: "page-checks")
            }
            if case .done = checks.state { return nil }
            guard checks.admits(lease, of: host, at: now) else {
                throw ServiceError(
                    .permissionDenied, "the report about the pages of \(lease.job) comes too late", rule: "page-checks")
            }
            var parent: Version?
            if let number = version.parent {
                parent = try await stores.versions.find(number, of: site.id, in: transaction)
            }
            let kind = try await stores.jobs.find(lease.job, in: transaction)?.job.kind
            return Subject(site: site, version: version, parent: parent, isLook: kind == .look)
        }
    }

    /// The blob is there and is the picture that the report says.
    private func require(_ picture: PagePicture) async throws {
        guard try await blobs.sizeInBytes(of: picture.digest) == picture.sizeInBytes else {
            throw ServiceError(
                .failedPrecondition, "the picture \(picture.digest.abbreviated) did not arrive",
                rule: "picture-missing")
        }
        let bytes = try await blobs.read(picture.digest, limit: Int(PagePicture.sizeLimit))
        guard let found = PagePicture.measure(bytes), found.format == picture.format, found.width == picture.width,
            found.height == picture.height
        else {
            throw ServiceError(
                .invalidArgument, "the picture \(picture.digest.abbreviated) is not what the report says",
                field: "pictures", rule: "page-checks")
        }
    }

    private func requireKept(
        _ digests: Set<ContentDigest>, since sweeps: Int64, in transaction: any SQLTransaction
    ) async throws {
        let now = try await stores.condemnedBlobs.lockSweeps(in: transaction)
        guard now == sweeps, try await stores.condemnedBlobs.list(in: transaction).isDisjoint(with: digests) else {
            throw ServiceError(
                .unavailable, "unused files were cleaned up just now", rule: "blobs-swept",
                nextStep: "Send it again.", retryAfter: .seconds(1))
        }
    }

    private func add(
        _ report: PageChecks, to subject: Subject, stillValid: (SitePath) -> Bool, by host: HostID, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> Bool {
        let (site, number) = (subject.site.id, subject.version.number)
        guard let version = try await stores.versions.find(number, of: site, in: transaction) else { return false }
        var pictures = report.pictures.map { VersionChecks.Picture($0, takenOf: number) }
        // What was seen when the version after it was compared with it, or at an earlier look.
        for old in try await stores.checks.pictures(number, of: site, in: transaction) {
            if let place = pictures.firstIndex(where: { $0.picture.shows(old.picture) }) {
                if pictures[place].picture.digest == old.picture.digest { pictures[place] = old }
            } else if pictures.count < Self.picturesLimit {
                pictures.append(old)
            }
        }
        var findings = version.findings.filter { subject.isLook || !PageChecks.rules.contains($0.rule) }
        let kept = Set(findings.map(\.key))
        findings += report.findings.filter { !kept.contains($0.key) }
        // What did not change since the parent still looks as it did, and has the same faults.
        if let parent = subject.parent {
            let older = try await stores.checks.pictures(parent.number, of: site, in: transaction)
            for old in older where stillValid(old.picture.page) && pictures.count < Self.picturesLimit {
                if !pictures.contains(where: { $0.picture.shows(old.picture) }) {
                    pictures.append(VersionChecks.Picture(old.picture.unchanged, takenOf: old.takenOf))
                }
            }
            // A version that somebody brought along has no pictures of its own.
            let fresh = report.before.filter { picture in !older.contains { $0.picture.shows(picture) } }
            let position = try await stores.checks.endOfPictures(parent.number, of: site, in: transaction)
            try await stores.checks.add(
                fresh.prefix(max(0, Self.picturesLimit - older.count)).map {
                    VersionChecks.Picture($0, takenOf: parent.number)
                }, to: parent.number, of: site, from: position, in: transaction)
            let current = try await stores.versions.find(parent.number, of: site, in: transaction)
            // What nobody accepted there is not made good by another edit that left it as it was.
            let open = Set((current?.openFindings ?? []).map(\.key))
            findings = findings.map { open.contains($0.key) ? $0.rated(.error) : $0 }
            let known = Set(findings.map(\.key))
            findings += (current?.findings ?? []).filter { finding in
                guard PageChecks.rules.contains(finding.rule), !known.contains(finding.key),
                    let path = try? SitePath(finding.path)
                else { return false }
                return stillValid(path)
            }.prefix(PageChecks.findingLimit)
        }
        guard
            try await stores.checks.finish(
                number, of: site, checks: report.checks, pictures: pictures, at: now, in: transaction)
        else { return false }
        try await stores.versions.setFindings(findings, of: number, of: site, in: transaction)
        try await AuditTrail(stores: stores).record(
            .versionChecked, on: site.text, of: site, by: .host(host),
            [
                "version": number.description, "findings": "\(report.findings.count)",
                "pictures": "\(report.pictures.count)",
            ], at: now, in: transaction)
        try await feed.append(
            .versionChecked, owner: subject.site.owner, site: site,
            body: [
                "site_id": EventValue(site), "number": EventValue(number),
                "findings": EventValue(report.findings.count), "pictures": EventValue(report.pictures.count),
            ], at: now, in: transaction)
        return true
    }

    // MARK: Views

    package func find(_ number: Int, of reference: String, for principal: Principal) async throws -> View {
        let now = clock.now()
        let access = SiteAccess(stores: stores)
        return try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            let checks = try await stores.checks.find(version.number, of: site.id, in: transaction)
            return View(
                site: site, version: version, checks: checks?.settled(at: now),
                pictures: try await stores.checks.pictures(version.number, of: site.id, in: transaction),
                awaitedUntil: checks?.awaited(by: version, at: now))
        }
    }

    /// A picture of a version, and the store to read it from.
    package func picture(
        _ digest: String, version number: Int, of reference: String, for principal: Principal
    ) async throws -> (picture: PagePicture, store: any BlobStore) {
        let access = SiteAccess(stores: stores)
        let picture = try await database.read { transaction -> PagePicture? in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            guard let digest = ContentDigest(digest) else { return nil }
            return try await stores.checks.picture(digest, version.number, of: site.id, in: transaction)
        }
        guard let picture else {
            throw ServiceError(
                .notFound, "version \(number) has no picture \"\(digest.prefix(64))\"", field: "picture",
                nextStep: "Ask for the version's checks to see its pictures.")
        }
        return (picture, blobs)
    }

    /// The thumbnails of what these sites have live; sites without one are left out.
    ///
    /// - Parameter sites: that `principal` was shown.
    package func thumbnails(
        of sites: [SiteView], for principal: Principal
    ) async throws -> [SiteID: ContentDigest] {
        let own = sites.filter { $0.site.owner == principal.user || principal.isAdmin }.map(\.site.id)
        return try await database.read { try await stores.checks.liveThumbnails(of: own, in: $0) }
    }
}

/// Opens the look at a version, in the transaction that records it.
struct PageCheckOpening: Sendable {
    let stores: Stores

    func note(
        _ look: JobCompletion.Look, at version: Version, by lease: JobLease, of host: HostID, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        let state: VersionChecks.State
        var checks: [PageChecks.Check] = []
        switch look {
        case .none: return
        case .follows: state = .waiting(until: now + PageChecks.patience)
        case .impossible(let reason):
            state = .done(at: now)
            checks = PageChecks.impossible(because: reason).checks
        }
        try await stores.checks.insert(
            VersionChecks(
                site: version.site, version: version.number, lease: lease, host: host, state: state, checks: checks),
            in: transaction)
    }

    /// The same of a version that is there already.
    func look(
        at version: VersionNumber, of site: SiteID, by lease: JobLease, of host: HostID, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        let until = now + PageChecks.patience
        try await stores.checks.reopen(
            VersionChecks(site: site, version: version, lease: lease, host: host, state: .waiting(until: until)),
            until: until, in: transaction)
    }
}
