import Archives
import Artifacts
import AsyncHTTPClient
import BlockingIO
import Database
import Domain
import FleetIdentity
import Logging
import NIOCore
import Persistence
import QueueEmbedded
import ServiceLifecycle
import Synchronization
import Telemetry
import TestDatabases
import TestSupport
import Testing

@testable import Coordinator
@testable import RESTAPI

/// The real API on the real use cases, with a database of its own and blobs in a temporary folder, on a port of its own.
final class RESTFixture: Sendable {
    final class Clock: WallClock {
        private let offset = Mutex(Duration.zero)
        func now() -> Timestamp { SystemClock().now() + offset.withLock { $0 } }
        func advance(by duration: Duration) { offset.withLock { $0 += duration } }
    }

    /// Every line that the coordinator logged.
    final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        var text: String { lines.withLock { $0.joined(separator: "\n") } }
        var logger: Logger {
            Logger(label: "test") { _ in Handler(log: self) }
        }

        private struct Handler: LogHandler {
            let log: Log
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.debug
            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }
            func log(event: LogEvent) {
                let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
                log.lines.withLock { $0.append("\(event.level) \(event.message) \(all)") }
            }
        }
    }

    static let password = "correct horse battery"
    static let page = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Test</title><meta name="description" content="A page."></head><body><h1>Hello</h1></body></html>

        """

    let folder: String
    let clock: Clock
    let log: Log
    let metrics: PrometheusRegistry
    let services: RESTServices
    let coordinator: CoordinatorServices
    let table: RouteTable
    let http: HTTPClient
    let port: Int

    private init(
        folder: String, clock: Clock, log: Log, metrics: PrometheusRegistry, services: RESTServices,
        coordinator: CoordinatorServices, table: RouteTable, http: HTTPClient, port: Int
    ) {
        self.folder = folder
        self.clock = clock
        self.log = log
        self.metrics = metrics
        self.services = services
        self.coordinator = coordinator
        self.table = table
        self.http = http
        self.port = port
    }

    var uploadFolder: String { folder + "/uploads" }

    /// Starts a server, hands it to `body`, and stops it as SIGTERM would.
    static func with(
        on driver: TestDatabase = .sqlite, _ change: (inout RESTSettings) -> Void = { _ in },
        readiness: @escaping @Sendable () async -> [ReadinessCheck] = { [] },
        stopping: Bool = true, _ body: @escaping @Sendable (RESTFixture, ServiceGroup) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            try await driver.withMigrated(in: folder) { database in
                var settings = RESTSettings(port: 0, uploadFolder: folder + "/uploads", uploadLimitInBytes: 4 << 20)
                change(&settings)
                try await serve(settings, on: database, in: folder, readiness: readiness, body)
            }
        }
    }

    private static func serve(
        _ settings: RESTSettings, on database: any SQLDatabase, in folder: String,
        readiness: @escaping @Sendable () async -> [ReadinessCheck],
        _ body: @escaping @Sendable (RESTFixture, ServiceGroup) async throws -> Void
    ) async throws {
        let clock = Clock()
        let log = Log()
        let metrics = PrometheusRegistry()
        let (services, coordinator) = try await makeServices(on: database, in: folder, clock: clock, logger: log.logger)
        let (ports, port) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let server = RESTServer(
            services: services, settings: settings, metrics: metrics, clock: clock, logger: log.logger,
            readiness: readiness, onRunning: { port.yield($0) })
        let group = ServiceGroup(
            services: [server], gracefulShutdownSignals: [], cancellationSignals: [], logger: log.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { port.finish() }
                try await group.run()
            }
            guard let bound = await ports.first(where: { _ in true }) else {
                throw ServiceError(.internalError, "the server did not start")
            }
            let fixture = RESTFixture(
                folder: folder, clock: clock, log: log, metrics: metrics, services: services,
                coordinator: coordinator, table: server.table, http: HTTPClient(), port: bound)
            do {
                try await body(fixture, group)
            } catch {
                try? await fixture.http.shutdown()
                await group.triggerGracefulShutdown()
                throw error
            }
            try await fixture.http.shutdown()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private static func makeServices(
        on database: any SQLDatabase, in folder: String, clock: Clock, logger: Logger
    ) async throws -> (RESTServices, CoordinatorServices) {
        let pool = BlockingPool(label: "test.blobs", width: 4)
        let coordinator = CoordinatorServices(
            database: database, queue: EmbeddedJobQueue(),
            blobs: try await DirectoryBlobStore(directory: folder + "/blobs", pool: pool),
            reader: ArchiveReader(pool: pool), writer: ArchiveWriter(pool: pool),
            authority: try CertificateAuthority.loadOrCreate(inDirectory: folder + "/ca", at: clock.now()),
            signer: try VersionSigner.loadOrCreate(inDirectory: folder + "/signer"),
            templates: [
                SiteTemplate(
                    name: "plain", title: "Plain", description: "One page.",
                    files: [(path: "index.html", bytes: Array(page.utf8))])
            ], settings: CoordinatorSettings(), clock: clock, logger: logger)
        let accounts = AccountService(
            database: database,
            passwords: PasswordHasher(uncheckedCost: 4, pool: BlockingPool(label: "test.passwords", width: 2)),
            tokens: try await AccessTokenSigner(key: [UInt8](repeating: 7, count: 32)), limiter: LoginRateLimiter(),
            clock: clock, logger: logger)
        let services = RESTServices(
            accounts: accounts, idempotency: IdempotencyService(database: database, clock: clock),
            coordinator: coordinator)
        return (services, coordinator)
    }
}
