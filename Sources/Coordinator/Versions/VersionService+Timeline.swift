import Database
package import Domain
import Persistence

/// What a timeline tells of versions beside what they are.
package struct VersionTimeline: Sendable {
    /// What was asked for, of those that an edit made.
    package let prompts: [VersionNumber: String]
    /// The start page at a glance, of those that a browser looked at.
    package let thumbnails: [VersionNumber: ContentDigest]
    /// What the authors are called.
    package let authors: [UserID: String]
}

extension VersionService {
    /// What a timeline tells of some versions of a site, 1,000 at most.
    package func timeline(
        of versions: [VersionView], site reference: String, for principal: Principal
    ) async throws -> VersionTimeline {
        var jobs: [VersionNumber: JobID] = [:]
        for view in versions {
            if case .edit(_, let job, _) = view.version.origin { jobs[view.version.number] = job }
        }
        return try await database.read { [jobs] transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let prompts = try await stores.edits.prompts(of: Array(Set(jobs.values)), in: transaction)
            return VersionTimeline(
                prompts: jobs.compactMapValues { prompts[$0] },
                thumbnails: try await stores.checks.thumbnails(
                    of: versions.map(\.version.number), of: site.id, in: transaction),
                authors: try await UserStore().names(of: Array(Set(versions.map(\.version.author))), in: transaction))
        }
    }
}
