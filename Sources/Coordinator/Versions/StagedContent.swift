package import Artifacts
package import Domain

/// Files that could become a version: in a batch that nobody else sees yet, or in the store already.
package struct StagedContent: Sendable {
    package let manifest: Manifest
    /// Holds what is new; `nil` when every file is in the store already.
    package let batch: (any BlobBatch)?
    /// What reading the files noticed, such as hidden files that were left out.
    package let notes: [Finding]
    /// How many garbage collections had ended before it was looked whether every file is in the store; `nil` when that is
    /// still to be done.
    package let sweeps: Int64?

    package init(manifest: Manifest, batch: (any BlobBatch)?, notes: [Finding] = [], sweeps: Int64? = nil) {
        self.manifest = manifest
        self.batch = batch
        self.notes = notes
        self.sweeps = sweeps
    }
}

/// Files that passed every check and are durable in the store, ready to be recorded as a version.
package struct CheckedContent: Sendable {
    package let manifest: Manifest
    package let digest: ContentDigest
    /// The warnings to store with the version.
    package let warnings: [Finding]
    /// How far an edit went; `nil` for other origins.
    let scope: ChangeScope?
    /// The files that the parent does not have, so that nothing but this version keeps them.
    let ownDigests: Set<ContentDigest>
    /// How many garbage collections had ended before it was looked whether every file is in the store.
    var sweeps: Int64
}
