package import Domain
import SwiftProtobuf

extension BlobAccess {
    /// The fields of a request that carry access are always called `access`.
    package init(wire: Pagewright_Agent_V1_Access) throws(ServiceError) {
        switch wire.access {
        case .lease(let lease): self = .lease(try JobLease(wire: lease))
        case .siteID(let site): self = .site(try Field.identifier(site, "access.site_id"))
        case .checks(let lease): self = .checks(try JobLease(wire: lease))
        case nil: throw Field.refuse("access", "is missing", rule: "field-missing")
        }
    }

    package var wire: Pagewright_Agent_V1_Access {
        .with {
            switch self {
            case .lease(let lease): $0.lease = lease.wireReference
            case .site(let site): $0.siteID = site.text
            case .checks(let lease): $0.checks = lease.wireReference
            }
        }
    }
}

/// What one call of the blob service may move.
package enum BlobLimits {
    package static let digestsInOneCall = 10_000
    package static let knownManifests = 16
    package static let smallestPiece = 256 << 10
    package static let largestPiece = 1 << 20
    /// A message of the blob service other than a manifest: one piece and its frame.
    package static let largestMessage = 4 << 20
    /// A manifest of as many files as are allowed, and the largest completion or snapshot on a session.
    package static let largestManifestMessage = 64 << 20
}
