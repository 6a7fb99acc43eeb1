import Domain

/// A body that was stored in a file, for as long as its request is worked on.
struct StoredUpload: Sendable {
    let path: String
    let sizeInBytes: Int64
    let digest: ContentDigest
}
