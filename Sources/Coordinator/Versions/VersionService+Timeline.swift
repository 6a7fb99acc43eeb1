import Database
package import Domain
import Persistence

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
            let (prompts, authors) = try await transaction.answers(
                stores.edits.prompts(of: jobs.values), stores.users.names(of: versions.map(\.version.author)))
            return VersionTimeline(
                prompts: jobs.compactMapValues { prompts[$0] },
                thumbnails: try await stores.checks.thumbnails(
                    of: versions.map(\.version.number), of: site.id, in: transaction),
                authors: authors)
        }
    }
}
