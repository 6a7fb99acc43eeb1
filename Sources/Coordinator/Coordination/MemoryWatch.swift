package import Logging
import ServiceLifecycle

/// Compares the database with what this machine remembers, every second, and writes down how far it is.
package struct MemoryWatch: Service {
    private static let interval = Duration.seconds(1)

    private let recovery: RecoveryService
    private let logger: Logger

    package init(recovery: RecoveryService, logger: Logger) {
        self.recovery = recovery
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
                do {
                    try await recovery.examine()
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("Could not compare the database with the sidecar", metadata: ["error": "\(error)"])
                }
            }
        }
        // What happened in the last second is remembered too.
        _ = await Task { try? await recovery.examine() }.value
    }
}
