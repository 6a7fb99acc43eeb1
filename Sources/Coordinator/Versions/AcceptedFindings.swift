import Database
import Domain
import Persistence

/// The findings that somebody accepts, for once: of a version that is kept back, or of a change that was refused.
struct AcceptedFindings: Sendable {
    let references: [FindingReference]

    /// - Parameter example: how one is named.
    /// - Throws: `invalidArgument` with rule `finding-format` when there is none.
    init(_ references: [FindingReference], example: FindingReference) throws(ServiceError) {
        guard !references.isEmpty else {
            throw ServiceError(
                .invalidArgument, "no finding is named", field: "findings", rule: "finding-format",
                nextStep: "Name each as rule:path, for example \(example).")
        }
        self.references = references
    }

    /// Each with the first of `findings` that it names.
    ///
    /// - Parameters:
    ///   - complaint: what to say before the name of one that names none of them.
    ///   - command: what shows the findings.
    /// - Throws: `invalidArgument` with rule `finding-known` for such a one.
    @discardableResult
    func named(
        among findings: [Finding], orElse complaint: String, lookWith command: String
    ) throws(ServiceError) -> [(reference: FindingReference, finding: Finding)] {
        var named: [(reference: FindingReference, finding: Finding)] = []
        for reference in references {
            guard let finding = findings.first(where: reference.names) else {
                throw ServiceError(
                    .invalidArgument, "\(complaint) \"\(reference)\"", field: "findings", rule: "finding-known",
                    nextStep: "Look at its findings with: \(command).")
            }
            named.append((reference, finding))
        }
        return named
    }

    /// Writes the row of the audit log.
    ///
    /// - Parameter subject: the site or the job that they are accepted of.
    func note(
        with version: VersionNumber, on subject: String, of site: SiteID, for principal: Principal,
        by trail: AuditTrail, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        try await trail.record(
            .findingsAccepted, on: subject, of: site, for: principal,
            [
                "findings": references.map(\.description).joined(separator: " ").abridged(to: 1000),
                "version": version.description,
            ], at: now, in: transaction)
    }
}
