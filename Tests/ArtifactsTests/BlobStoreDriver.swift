import Artifacts
import BlockingIO
import TestSupport

/// The kinds of blob store that keep the same promises.
enum BlobStoreDriver: CaseIterable {
    case directory

    /// Opens an empty store for one test.
    func withEmptyStore<Value>(_ body: (any BlobStore) async throws -> Value) async throws -> Value {
        switch self {
        case .directory:
            try await withTemporaryDirectory { path in
                try await body(
                    DirectoryBlobStore(directory: "\(path)/blobs", pool: BlockingPool(label: "test", width: 4)))
            }
        }
    }
}
