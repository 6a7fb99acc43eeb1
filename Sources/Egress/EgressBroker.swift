package import BlockingIO
import Domain
import Glibc
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Stands outside of the sandboxes and lets requests through to models, and to nothing else. It adds the credentials, so
/// that no sandbox ever holds one.
package struct EgressBroker: Sendable {
    private let settings: EgressSettings
    private let resolver: HostResolver
    private let tls: NIOSSLContext
    private let pool: BlockingPool
    private let logger: Logger

    package init(
        settings: EgressSettings = EgressSettings(), resolver: HostResolver? = nil, pool: BlockingPool, logger: Logger
    ) throws {
        self.settings = settings
        self.resolver = resolver ?? .system(on: pool)
        self.pool = pool
        self.logger = logger
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = settings.trustRoots
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// Listens for one task while `body` runs; whatever is still under way then is cut off.
    package func withSocket<Value: Sendable>(
        for grant: EgressGrant, _ body: () async throws -> Value
    ) async throws -> Value {
        let listener = try await listen(at: grant.socketPath)
        let ledger = EgressLedger(grant)
        var settings = settings
        if let silence = grant.silence { settings.silenceLimit = TimeAmount(silence) }
        let desk = EgressDesk(
            grant: grant, ledger: ledger, settings: settings,
            model: ModelConnection(settings: settings, resolver: resolver, tls: tls), logger: logger)
        let result: Result<Value, any Error>
        do {
            let value = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Self.serve(listener, desk) }
                defer { group.cancelAll() }
                return try await body()
            }
            result = .success(value)
        } catch {
            result = .failure(error)
        }
        unlink(grant.socketPath)
        let total = ledger.total
        if total.requests > 0 {
            logger.info(
                "Closed the way out of a task",
                metadata: ["job.id": "\(grant.job)", "requests": "\(total.requests)", "bytes": "\(total.bytes)"])
        }
        return try result.get()
    }

    typealias Client = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// A socket whose path may be longer than an address may be.
    private func listen(at path: String) async throws -> NIOAsyncChannel<Client, Never> {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw ServiceError(.invalidArgument, "\"\(path)\" is not the place of a socket")
        }
        let (folder, name) = (String(path[..<slash]), path[path.index(after: slash)...])
        let place = try OpenFile(folder: folder)
        unlink(path)
        let bound = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(unixDomainSocketPath: "/proc/self/fd/\(place.descriptor)/\(name)") { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    return try Client(wrappingChannelSynchronously: channel)
                }
            }
        try place.close()
        return bound
    }

    private static func serve(_ listener: NIOAsyncChannel<Client, Never>, _ desk: EgressDesk) async throws {
        try await listener.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients { group.addTask { await desk.attend(client) } }
            }
        }
    }
}
