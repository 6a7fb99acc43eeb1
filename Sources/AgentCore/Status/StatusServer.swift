package import BlockingIO
import Domain
import FoundationEssentials
import Glibc
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Answers `status` on a local socket, also while the coordinator is gone. One line in, one line of JSON out.
package struct StatusServer: Service {
    private static let requestLimit = 4096
    private static let patience = Duration.seconds(2)

    private let path: String
    private let reporter: StatusReporter
    private let answering: [any LocalAnswering]
    private let pool: BlockingPool
    private let logger: Logger
    private let onBound: @Sendable () async -> Void

    /// `path` is where the socket is made. `onBound` is called when it can be asked.
    package init(
        path: String, reporter: StatusReporter, answering: [any LocalAnswering] = [], pool: BlockingPool,
        logger: Logger, onBound: @escaping @Sendable () async -> Void = {}
    ) {
        self.path = path
        self.reporter = reporter
        self.answering = answering
        self.pool = pool
        self.logger = logger
        self.onBound = onBound
    }

    package func run() async throws {
        try await replaceStaleSocket()
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(LineDecoder(limit: Self.requestLimit)))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        // The folder keeps others out; within it the operators' group may ask.
        chmod(path, 0o660)
        await onBound()
        try await cancelWhenGracefulShutdown {
            do {
                try await server.executeThenClose { clients in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await client in clients {
                            group.addTask { await self.answer(client) }
                        }
                    }
                }
            } catch is CancellationError {}
        }
        unlink(path)
    }

    /// How long one client may take; what it asks for decides.
    private final class Patience: Sendable {
        let limit: Mutex<Duration>
        init(_ limit: Duration) { self.limit = Mutex(limit) }
    }

    private func answer(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        let patience = Patience(Self.patience)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await client.executeThenClose { requests, replies in
                        for try await line in requests {
                            let text = String(buffer: line)
                            if text == "status" {
                                try await replies.write(ByteBuffer(bytes: try await self.encodedStatus()))
                            } else {
                                guard
                                    let request = try? JSONDecoder().decode(LocalRequest.self, from: Data(text.utf8))
                                else { return }
                                patience.limit.withLock { $0 = request.patience + Self.patience }
                                try await replies.write(ByteBuffer(bytes: await self.encodedAnswer(to: request)))
                            }
                            return
                        }
                    }
                }
                group.addTask {
                    let start = ContinuousClock.now
                    while start.duration(to: .now) < patience.limit.withLock({ $0 }) {
                        try await Task.sleep(for: .milliseconds(500))
                    }
                    throw ServiceError(.unavailable, "a client of the status socket took too long")
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            logger.debug("Could not answer on the status socket", metadata: ["error": "\(error)"])
        }
    }

    private func encodedAnswer(to request: LocalRequest) async -> [UInt8] {
        var answer = LocalAnswer()
        do {
            for part in answering {
                guard let bytes = try await part.answer(request) else { continue }
                answer.result = String(decoding: bytes, as: UTF8.self)
                break
            }
            if answer.result == nil {
                throw ServiceError(
                    .failedPrecondition, "this host has no part that can do \(request.verb.rawValue)",
                    nextStep: "Sites are on serving hosts, jobs on workers.")
            }
        } catch {
            logger.info(
                "Refused a request of this host", metadata: ["verb": "\(request.verb.rawValue)", "error": "\(error)"])
            answer.error = LocalAnswer.Refusal(error)
        }
        return Array((try? AgentStatus.encoder.encode(answer)) ?? Data()) + [0x0a]
    }

    private func encodedStatus() async throws -> [UInt8] {
        Array(try AgentStatus.encoder.encode(await reporter.status())) + [0x0a]
    }

    /// A socket that nobody answers on is left over from a crash; one that is answered belongs to another agent.
    private func replaceStaleSocket() async throws {
        let path = path
        guard path.utf8.count < 108 else {
            throw ServiceError(
                .invalidArgument, "the path \(path) is too long for a socket", field: "state",
                nextStep: "Use a state folder with a path of at most 80 characters.")
        }
        let isAnswered = try await pool.run { () throws -> Bool in
            if access(path, F_OK) != 0 { return false }
            return UnixSocket.isAnswered(path)
        }
        guard !isAnswered else {
            throw ServiceError(
                .failedPrecondition, "another agent runs with this state: it answers on \(path)",
                nextStep: "Stop it first, or use another state folder.")
        }
        unlink(path)
    }
}

enum UnixSocket {
    /// Whether somebody accepts connections at `path`. Does not wait.
    static func isAnswered(_ path: String) -> Bool {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { storage in
            storage.copyBytes(from: Array(path.utf8.prefix(storage.count - 1)))
        }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 || errno == EAGAIN
    }
}

/// Cuts a stream at line feeds; a line over the limit ends the connection.
struct LineDecoder: NIOSingleStepByteToMessageDecoder, ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer
    let limit: Int

    mutating func decode(buffer: inout ByteBuffer) throws -> ByteBuffer? {
        guard let length = buffer.readableBytesView.firstIndex(of: 0x0a).map({ $0 - buffer.readerIndex }) else {
            guard buffer.readableBytes <= limit else { throw Self.tooLong }
            return nil
        }
        guard length <= limit, let line = buffer.readSlice(length: length) else { throw Self.tooLong }
        buffer.moveReaderIndex(forwardBy: 1)
        return line
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> ByteBuffer? {
        try decode(buffer: &buffer)
    }

    private static var tooLong: ServiceError {
        ServiceError(.payloadTooLarge, "a line on the status socket is too long")
    }
}
