import Domain

/// The rows of the simulated database, in the types of `Domain`. A value: a backup is a copy, a transaction works on one.
struct Tables {
    struct VersionRow: Equatable {
        let content: Int
        let digest: ContentDigest
    }

    struct SiteRow {
        var site: Site
        var isDeleted = false
        var versions: [VersionRow] = []
    }

    var sites: [SiteRow?] = []
    var jobs: [Job?] = []
    /// Rows that a coordinator took out, with the mutation that does that.
    var bases: [VersionNumber] = []
    var hosts: [Host] = []
    /// By host, then by site; `nil` where a site is not placed.
    var placements: [[Placement?]] = []
    /// The job of each idempotency key that was used.
    var jobOfKey: [Int?] = []
    /// Who may do what only one may do.
    var steward = StewardRecord(term: Term(number: 0, holder: ""), renewal: 0)
    /// How many rounds stewards did.
    var rounds = 0
    /// How many rows the audit log has of each job's end.
    var ends: [Int] = []
    var incarnation: Int16 = 0
    /// Since a restore, until an operator has accepted what is lost.
    var isRecovering = false

    func job(_ id: JobID) -> Job? { job(Number.of(id.text)) }

    func job(_ number: Int) -> Job? { number < jobs.count ? jobs[number] : nil }

    func site(_ id: SiteID) -> SiteRow? {
        let number = Number.of(id.text)
        return number < sites.count ? sites[number].flatMap { $0.isDeleted ? nil : $0 } : nil
    }

    func host(_ id: HostID) -> Host { hosts[Number.of(id.text)] }

    mutating func save(_ job: Job) { jobs[Number.of(job.id.text)] = job }

    /// As `AuditTrail.record(endOf:)` does: a row in the transaction that ends the job.
    mutating func record(endOf job: Job) {
        guard job.isTerminal else { return }
        let number = Number.of(job.id.text)
        while ends.count <= number { ends.append(0) }
        ends[number] += 1
    }

    mutating func save(_ site: Site) { sites[Number.of(site.id.text)]!.site = site }

    /// In the order of the line.
    func queued(of site: SiteID) -> [Job] {
        jobs.compactMap { job in
            guard let job, job.site == site, case .queued = job.state else { return nil }
            return job
        }
    }

    func active(of site: SiteID) -> [Job] {
        var active: [Job] = []
        for case let job? in jobs where job.isActive && job.site == site { active.append(job) }
        return active
    }

    var leased: [Job] { jobs.compactMap { job in job?.grant == nil ? nil : job } }

    /// As `PlacementStore.raiseGenerations` does in SQL.
    mutating func raiseGenerations(of site: SiteID, at now: Timestamp, removed: Bool = false) {
        let number = Number.of(site.text)
        for host in placements.indices where number < placements[host].count {
            guard var placement = placements[host][number] else { continue }
            placement.generation += 1
            placement.state = .pending
            placement.error = nil
            if removed { placement.isRemoved = true }
            placement.updatedAt = now
            placements[host][number] = placement
        }
    }

    /// As `PlacementStore.raiseGeneration` does in SQL.
    mutating func raiseGeneration(of site: SiteID, on host: Int, above: Int64) {
        let number = Number.of(site.text)
        guard placements[host][number]!.generation <= above else { return }
        placements[host][number]!.generation = above + 1
        placements[host][number]!.state = .pending
    }

    /// As `DesiredState.desired` computes it.
    func desired(_ placement: Placement) -> DesiredSite? {
        if placement.isRemoved {
            return DesiredSite(site: placement.site, generation: placement.generation, isRemoved: true)
        }
        guard let row = site(placement.site) else { return nil }
        func tree(_ number: VersionNumber?) -> DesiredSite.Tree? {
            guard let number, number.rawValue <= row.versions.count else { return nil }
            return DesiredSite.Tree(
                number: number, digest: row.versions[number.rawValue - 1].digest, signature: [])
        }
        return DesiredSite(
            site: placement.site, generation: placement.generation, live: tree(row.site.live),
            preview: tree(row.site.preview), previous: tree(row.site.previous),
            maintenance: row.site.maintenance?.message, addresses: row.site.addresses)
    }

    /// The next jobs of the site after the one before has left, as `SiteLine.moveUp` finds them.
    mutating func moveUp(_ site: SiteID, at now: Timestamp) throws -> [Job] {
        var moved: [Job] = []
        while var next = queued(of: site).first, try next.moveUp(behind: active(of: site), at: now) {
            save(next)
            moved.append(next)
        }
        return moved
    }
}

/// Identifiers of a run are short words with a number, so that making and finding one costs nothing.
enum Number {
    static func of(_ text: String) -> Int {
        var number = 0
        for byte in text.utf8 where byte >= 0x30 && byte <= 0x39 { number = number * 10 + Int(byte - 0x30) }
        return number
    }

    static func job(_ number: Int) -> JobID { JobID(unchecked: "job_\(number)") }
    static func site(_ number: Int) -> SiteID { SiteID(unchecked: "site_\(number)") }
    static func host(_ number: Int) -> HostID { HostID(unchecked: "host_\(number)") }

    /// A digest that stands for a content: not a hash, but as good as one among a few dozen.
    static func digest(_ content: Int) -> ContentDigest {
        let digits = String(content, radix: 16)
        return ContentDigest(String(repeating: "0", count: 64 - digits.utf8.count) + digits)!
    }

    /// The digest of a state's canonical text: 64 bits of FNV-1a are enough among a few hundred.
    static func digest(of text: String) -> ContentDigest {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return ContentDigest(digits + String(repeating: "0", count: 64 - digits.utf8.count))!
    }
}
