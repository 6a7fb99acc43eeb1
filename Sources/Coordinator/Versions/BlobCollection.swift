import Domain
package import Logging
import ServiceLifecycle

/// Deletes unused blobs from time to time.
///
/// Several coordinators may do this at once without harm; `isWanted` lets one of them do it for all.
package struct BlobCollection: Service {
    private let collector: BlobCollector
    private let interval: Duration
    private let grace: Duration
    private let isWanted: @Sendable () async throws -> Bool
    private let logger: Logger

    package init(
        collector: BlobCollector, interval: Duration, grace: Duration,
        isWanted: @escaping @Sendable () async throws -> Bool = { true }, logger: Logger
    ) {
        self.collector = collector
        self.interval = interval
        self.grace = grace
        self.isWanted = isWanted
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Not at the start: a coordinator that is started often would do nothing else. Ends early when cancelled.
                try? await Task.sleep(for: interval * Double.random(in: 0.9...1.1))
                do {
                    try Task.checkCancellation()
                    if try await isWanted() { _ = try await collector.collect(grace: grace) }
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("Could not delete unused blobs", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
