package import Domain

/// A store that others can read by themselves, from an address that the store signs for a while.
package protocol AddressableBlobStore: BlobStore {
    /// Where the content can be had by GET for `lifetime`, whether it is there or not; `nil` when that is not allowed.
    func address(of digest: ContentDigest, lifetime: Duration) async throws -> BlobAddress?
}

/// Where a blob can be had for a while. Whoever has the address can read the blob: it is a secret.
package struct BlobAddress: Sendable {
    /// An `https` URL.
    package let url: String
    /// Certificates (PEM) of authorities to trust there besides the system's; empty when none are needed.
    package let authorities: String

    package init(url: String, authorities: String) {
        self.url = url
        self.authorities = authorities
    }
}
