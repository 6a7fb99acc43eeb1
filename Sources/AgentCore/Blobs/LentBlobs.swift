import AgentProtocol
import Domain

/// Where blobs can be had, as the coordinator said.
struct LentBlobs: Sendable {
    struct Blob: Sendable {
        let digest: ContentDigest
        let address: DownloadAddress
        /// Until when a download may begin.
        let deadline: ContinuousClock.Instant
    }

    /// In the order asked.
    private(set) var blobs: [Blob] = []
    /// Certificates (PEM) to trust there besides the system's.
    private(set) var authorities = ""

    private static let longestAddress = 8 << 10
    private static let longestAuthorities = 256 << 10
    private static let longestLife: Int64 = 3600

    mutating func add(_ digest: ContentDigest, _ piece: Pagewright_Agent_V1_BlobPiece) throws {
        guard piece.address.utf8.count <= Self.longestAddress,
            piece.addressAuthorities.utf8.count <= Self.longestAuthorities
        else { throw Field.refuse("address", "is too long", rule: "field-length") }
        guard let address = DownloadAddress(piece.address) else {
            throw Field.refuse("address", "is no https address", rule: "blob-address")
        }
        let life = Duration.seconds(min(max(0, piece.addressSeconds), Self.longestLife))
        blobs.append(Blob(digest: digest, address: address, deadline: .now + life))
        if !piece.addressAuthorities.isEmpty { authorities = piece.addressAuthorities }
    }
}
