package import Logging
import ServiceLifecycle

/// Seals new rows of the audit log, twice a second. One coordinator does; sealing is safe should two believe that they
/// are the one.
package struct AuditSealer: Service {
    private static let interval = Duration.milliseconds(500)

    private let audit: AuditService
    private let stewardship: Stewardship
    private let logger: Logger

    package init(audit: AuditService, stewardship: Stewardship, logger: Logger) {
        self.audit = audit
        self.stewardship = stewardship
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
                do {
                    guard try await stewardship.hold() != nil else { continue }
                    try await audit.seal()
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("Could not seal the audit log", metadata: ["error": "\(error)"])
                }
            }
            // What happened until the end is sealed with the next start at the latest.
            _ = await Task { try? await audit.seal() }.value
        }
    }
}
