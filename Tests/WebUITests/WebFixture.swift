import Archives
import Artifacts
import AsyncHTTPClient
import BlockingIO
import Database
import DatabaseSQLite
import Domain
import FleetIdentity
import Foundation
import Logging
import Persistence
import QueueEmbedded
import RESTAPI
import ServiceLifecycle
import Synchronization
import Telemetry
import TestSupport

@testable import Coordinator
@testable import WebUI

/// The real pages on the real server and the real use cases, with SQLite and blobs in a temporary folder, on a port of
/// its own.
final class WebFixture: Sendable {
    final class Clock: WallClock {
        private let offset = Mutex(Duration.zero)
        func now() -> Timestamp { SystemClock().now() + offset.withLock { $0 } }
        func advance(by duration: Duration) { offset.withLock { $0 += duration } }
    }

    static let password = "correct horse battery"
    static let resources = ResourceFolder(
        url: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/WebUI/Resources"))

    /// A page that passes every check, with a headline.
    static func html(_ headline: String) -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Test</title><meta name="description" content="A page."></head><body><h1>\(headline)</h1></body></html>

        """
    }

    let folder: String
    let clock: Clock
    let http: HTTPClient
    let port: Int
    let coordinator: CoordinatorServices

    private init(folder: String, clock: Clock, http: HTTPClient, port: Int, coordinator: CoordinatorServices) {
        self.folder = folder
        self.clock = clock
        self.http = http
        self.port = port
        self.coordinator = coordinator
    }

    var base: String { "http://127.0.0.1:\(port)" }
    var uploadFolder: String { folder + "/uploads" }

    /// Starts a server, hands it to `body`, and stops it as SIGTERM would.
    static func with(_ body: @escaping @Sendable (WebFixture) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let clock = Clock()
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let (accounts, database, coordinator) = try await makeServices(in: folder, clock: clock, logger: logger)
            let uploads = folder + "/uploads"
            let pages = try WebPages(
                services: WebServices(
                    accounts: accounts, idempotency: IdempotencyService(database: database, clock: clock),
                    coordinator: coordinator,
                    health: { [HealthCheck(name: "database", isReady: true, detail: "")] }),
                settings: WebSettings(uploadFolder: uploads, uploadLimitInBytes: 1 << 20), resources: resources)
            let (ports, port) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
            let server = RESTServer(
                services: RESTServices(
                    accounts: accounts, idempotency: IdempotencyService(database: database, clock: clock),
                    coordinator: coordinator),
                settings: RESTSettings(port: 0, uploadFolder: uploads), metrics: PrometheusRegistry(), clock: clock,
                logger: logger, readiness: { [] },
                pages: { await pages.answer(to: $0, requestID: $1, address: $2, logger: $3, events: $4) },
                onRunning: { port.yield($0) })
            let group = ServiceGroup(
                services: [server], gracefulShutdownSignals: [], cancellationSignals: [], logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    defer { port.finish() }
                    try await group.run()
                }
                guard let bound = await ports.first(where: { _ in true }) else {
                    throw ServiceError(.internalError, "the server did not start")
                }
                var configuration = HTTPClient.Configuration()
                configuration.redirectConfiguration = .disallow
                let http = HTTPClient(configuration: configuration)
                let fixture = WebFixture(
                    folder: folder, clock: clock, http: http, port: bound, coordinator: coordinator)
                do {
                    try await body(fixture)
                } catch {
                    try? await http.shutdown()
                    await group.triggerGracefulShutdown()
                    throw error
                }
                try await http.shutdown()
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    /// Somebody new, with a site of one page.
    func browser(as email: String, name: String = "Ada", site: String? = nil) async throws -> Browser {
        let browser = Browser(self)
        try await browser.register(email, name: name)
        if let site { try await browser.makeSite(site) }
        return browser
    }

    private static func makeServices(
        in folder: String, clock: Clock, logger: Logger
    ) async throws -> (AccountService, any SQLDatabase, CoordinatorServices) {
        let database = try SQLiteDatabase(path: folder + "/test.sqlite")
        _ = try await Migrator(Schema.migrations).migrate(database)
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
                    files: [(path: "index.html", bytes: Array(html("Hello").utf8))])
            ], settings: CoordinatorSettings(), clock: clock, logger: logger)
        let accounts = AccountService(
            database: database,
            passwords: PasswordHasher(uncheckedCost: 4, pool: BlockingPool(label: "test.passwords", width: 2)),
            tokens: try await AccessTokenSigner(key: [UInt8](repeating: 7, count: 32)), limiter: LoginRateLimiter(),
            clock: clock, logger: logger)
        return (accounts, database, coordinator)
    }
}
