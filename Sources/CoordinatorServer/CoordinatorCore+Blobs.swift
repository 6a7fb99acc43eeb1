import Coordinator
import Logging

extension CoordinatorCore {
    func collector(logger: Logger) -> BlobCollector {
        BlobCollector(database: database, blobs: blobs, clock: SystemClock(), logger: logger)
    }

    var verifier: BlobVerifier { BlobVerifier(database: database, blobs: blobs, clock: SystemClock()) }
}
