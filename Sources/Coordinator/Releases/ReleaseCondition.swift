import Database
import Domain
import Persistence

/// What a version has to be before it goes live: looked at, and no worse for anybody than the one before, unless
/// somebody said that this is all right. Going back is never held to it, nor is what visitors see already.
struct ReleaseCondition: Sendable {
    let stores: Stores
    /// Whether to go ahead although a browser may still find something.
    let unchecked: Bool

    /// Returns what is to be noted with the release.
    ///
    /// - Throws: `failedPrecondition` with rule `checks-running` while a browser looks at what the version's edit changed,
    ///   and with rule `findings-open` when it found something worse than before that nobody accepted.
    func require(
        _ version: Version, of site: Site, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [String: String] {
        guard site.live != version.number else { return [:] }
        let until = try await end(ofLookAt: version, at: now, in: transaction)
        if let until, !unchecked { throw Self.running(version, of: site, for: until - now) }
        try requireAccepted(version, of: site)
        return until == nil ? [:] : ["checks": "not awaited"]
    }

    /// Until when a browser's report on what the version's edit did is waited for; `nil` when none is.
    private func end(
        ofLookAt version: Version, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> Timestamp? {
        // Nobody looks at templates and uploads unasked.
        guard case .edit(_, let job, _) = version.origin else { return nil }
        return try await stores.checks.find(job: job, in: transaction)?.awaited(by: version, at: now)
    }

    private static func running(_ version: Version, of site: Site, for rest: Duration) -> ServiceError {
        let minutes = max(1, (rest.components.seconds + 59) / 60)
        let limit = "\(minutes) minute\(minutes == 1 ? "" : "s")"
        return ServiceError(
            .failedPrecondition, "a browser still looks at the pages of version \(version.number)",
            rule: "checks-running",
            nextStep: "Wait for it, a minute as a rule and \(limit) at most; or go ahead without what it sees: "
                + "pagewright promote \(site.slug) \(version.number) --unchecked.")
    }

    private func requireAccepted(_ version: Version, of site: Site) throws(ServiceError) {
        let open = version.openFindings
        guard let first = open.first else { return }
        let more = open.count > 1 ? " (and \(open.count - 1) more)" : ""
        throw ServiceError(
            .failedPrecondition,
            "version \(version.number) is worse for people with disabilities than the one before: "
                + "\(first.path): \(first.message)\(more)",
            rule: "findings-open",
            nextStep: "Mend it with another edit, or accept it with: pagewright accept --site \(site.slug) "
                + "--version \(version.number) --finding \(first.rule):\(first.path).", findings: open)
    }
}
