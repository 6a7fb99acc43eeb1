/// Why a host may see a blob.
package enum BlobAccess: Sendable, Equatable {
    /// It works on this job now: it may read the base version and add what it made.
    case lease(JobLease)
    /// It serves this site: it may read the versions that the site's pointers name.
    case site(SiteID)
    /// It looks at the pages of the version that this lease made: it may add pictures of them.
    case checks(JobLease)
}
