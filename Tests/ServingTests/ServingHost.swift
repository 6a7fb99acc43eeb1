import AgentCore
import Artifacts
import BlockingIO
import Domain
import Foundation
import Logging
import Nginx
import Serving
import TestSupport

/// One serving host with its own folder and nginx, and a coordinator made of a second store.
struct ServingHost: Sendable {
    let root: String
    let layout: ServingLayout
    let remote: DirectoryBlobStore
    let transfer: TestTransfer
    let outbox = TestOutbox()
    let nginx: NginxController
    let role: ServingRole
    let address: NginxListenAddress

    init(
        _ root: String, remote: String? = nil, settings: ServingSettings = .quick,
        observe: @escaping ServingStepObserver = { _, _ in }
    ) async throws {
        self.root = root
        layout = ServingLayout(root: root + "/state")
        try FileManager.default.createDirectory(atPath: layout.root, withIntermediateDirectories: true)
        let pool = BlockingPool(label: "test", width: 8)
        self.remote = try await DirectoryBlobStore(directory: remote ?? root + "/coordinator", pool: pool)
        transfer = TestTransfer(remote: self.remote)
        address = NginxListenAddress(host: "127.0.0.1", port: try freePorts(1)[0])
        nginx = NginxController(settings: ServingRole.nginxSettings(for: layout, listen: [address]), logger: .quiet)
        role = ServingRole(
            layout: layout, blobs: try await DirectoryBlobStore(directory: layout.root + "/blobs", pool: pool),
            transfer: transfer, nginx: nginx, settings: settings, pool: pool, logger: .quiet, observe: observe
        ) { statement, signature, keys in
            keys == [Self.key] && signature == Self.sign(statement)
        }
    }

    static let key: [UInt8] = [1, 2, 3]
    static func sign(_ statement: String) -> [UInt8] { Array(ContentDigest(hashing: "key" + statement).bytes) }

    /// Runs the role, with a session unless told otherwise, while `body` runs.
    func run<Value: Sendable>(session: Bool = true, _ body: @Sendable @escaping () async throws -> Value) async throws
        -> Value
    {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await role.run()
                return nil
            }
            do {
                try await nginx.waitUntilAnswering()
                if session { await connect() }
                let value = try await body()
                group.cancelAll()
                while await group.nextResult() != nil {}
                return value
            } catch {
                group.cancelAll()
                while await group.nextResult() != nil {}
                throw error
            }
        }
    }

    func connect() async {
        await role.sessionOpened(
            CoordinatorMessage.Welcome(
                sessionEpoch: 1, heartbeatInterval: .seconds(10), leaseDuration: .seconds(60),
                coordinatorVersion: "test",
                versionKeys: [Self.key]),
            outbox: outbox)
    }

    /// Puts a version into the coordinator's store.
    func store(_ files: [String: String], of site: SiteID, as number: Int) async throws -> DesiredSite.Tree {
        var entries: [Manifest.Entry] = []
        for (path, text) in files {
            let digest = try await remote.put(Array(text.utf8))
            entries.append(
                Manifest.Entry(path: try SitePath(path), sizeInBytes: Int64(text.utf8.count), digest: digest))
        }
        let digest = try await remote.putManifest(try Manifest(entries))
        let number = try VersionNumber(number)
        let statement = Version.statement(site: site, number: number, digest: digest)
        return DesiredSite.Tree(number: number, digest: digest, signature: Self.sign(statement))
    }

    func want(_ values: DesiredSite..., complete: Bool = false) async {
        await role.receive(.desired(values, complete ? .whole : .change))
    }

    /// Asks for a state and waits for what becomes of it.
    func settle(_ value: DesiredSite) async throws -> SiteStatus {
        await want(value)
        return try await outbox.next(value.site, value.generation)
    }

    func get(_ host: String, _ path: String = "/") throws -> LoopbackAnswer {
        try LoopbackRequest(to: address, host: host, path: path, method: "GET", timeout: .seconds(10)).perform()
    }

    func inventory() async -> [SiteStatus] {
        var hello = AgentMessage.Hello(
            agentVersion: "", roles: [.serving], bootID: "", leases: [], inventory: [], engines: [])
        await role.describe(in: &hello)
        return hello.inventory
    }

    func report() async -> AgentStatus {
        var status = AgentStatus(host: "", name: "", roles: [], version: "", coordinator: "")
        await role.report(in: &status)
        return status
    }
}

extension ServingSettings {
    /// Clean-up and retries without long waits.
    static let quick = ServingSettings(
        grace: .zero, blobGrace: .zero, upkeepInterval: .seconds(3600), firstRetry: .milliseconds(20),
        longestRetry: .milliseconds(200))
}

extension Logger {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

extension SiteID {
    static func test(_ letter: Character) -> SiteID { SiteID("site_" + String(repeating: letter, count: 22))! }
}

extension DesiredSite {
    /// A site with a name for each of its pointers.
    static func test(
        _ letter: Character = "a", _ generation: Int64, live: Tree? = nil, preview: Tree? = nil, previous: Tree? = nil,
        names: [String]? = nil, maintenance: String? = nil, addresses: AddressRules = .standard
    ) throws -> DesiredSite {
        DesiredSite(
            site: .test(letter), generation: generation, live: live, preview: preview, previous: previous,
            liveNames: try (names ?? ["\(letter).localhost"]).map { try DomainName($0) },
            previewNames: try ["\(letter)--preview.localhost"].map { try DomainName($0) }, maintenance: maintenance,
            addresses: addresses)
    }
}

extension SiteStatus {
    var refusal: String? {
        if case .refused(let reason) = condition { reason } else { nil }
    }
}
