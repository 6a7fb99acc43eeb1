import Domain
import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Redis

/// The client against real servers, and against one that talks nonsense.
@Suite struct RedisClientTests {
    @Test("Commands and answers, also many at once")
    func commands() async throws {
        try await Self.withClient(try await RedisServer.emptyDatabase().address) { client in
            #expect(try await client.ask("SET", "a", "ä \" \r\n") == .text("OK"))
            #expect(try await client.ask("GET", "a") == .text("ä \" \r\n"))
            #expect(try await client.ask("GET", "none") == .nothing)
            await #expect(throws: RedisError.self) { try await client.send(["INCR", "a"]) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let answer = try await client.ask("ECHO", "\(number)")
                        #expect(answer == .text("\(number)"))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("More commands than may be in flight are refused, not kept")
    func bounded() async throws {
        try await RedisServer.run { server in
            try await Self.withClient(server.address) {
                $0.commandsInFlight = 50
                $0.timeLimit = .seconds(3)
            } _: { client in
                server.pause()
                let refused = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<200 {
                        group.addTask {
                            do {
                                _ = try await client.send(["PING"])
                                return false
                            } catch {
                                return error as? RedisError == .overloaded
                            }
                        }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(refused >= 100)
                server.resume()
            }
        }
    }

    @Test("A server that stalls costs a time limit, and is used again when it goes on")
    func stall() async throws {
        try await RedisServer.run { server in
            try await Self.withClient(server.address) { client in
                _ = try await client.send(["SET", "a", "1"])
                server.pause()
                await #expect(throws: RedisError.self) { try await client.send(["GET", "a"]) }
                try await Self.until { !client.isConnected }
                let error = await #expect(throws: RedisError.self) { try await client.send(["GET", "a"]) }
                #expect(error == .notConnected)
                server.resume()
                try await Self.until { client.isComplete }
                #expect(try await client.ask("GET", "a") == .text("1"))
            }
        }
    }

    @Test("A server that is killed and started again is found again, and its messages are")
    func restart() async throws {
        try await RedisServer.run { server in
            try await Self.withClient(server.address) { client in
                let notices = client.notices()
                server.kill()
                try await Self.until { !client.isConnected }
                try await server.start()
                try await Self.until { client.isComplete }
                _ = try await client.send(["PUBLISH", "news", "again"])
                var heard: [RedisClient.Notice] = []
                for await notice in notices {
                    heard.append(notice)
                    if case .message = notice { break }
                }
                #expect(heard == [.subscribed, .message(RedisMessage(channel: "news", payload: "again"))])
            }
        }
    }

    @Test("A password is asked for and given, also with a user; a wrong one is no connection")
    func authentication() async throws {
        try await RedisServer.run(arguments: ["--requirepass", "one two"]) { server in
            try await Self.withClient(server.address) {
                $0.password = "one two"
            } _: { client in
                _ = try await client.send(["ACL", "SETUSER", "ann", "on", ">secret", "~*", "&*", "+@all"])
            }
            try await Self.withClient(server.address + "?user=ann") {
                $0.password = "secret"
            } _: { client in
                let name = try await client.ask("ACL", "WHOAMI")
                #expect(name == .text("ann"))
            }
            let log = LogLines()
            try await Self.withClient(server.address, log: log, isReachable: false) {
                $0.password = "wrong"
            } _: { client in
                try await Self.until { log.lines.contains { $0.contains("WRONGPASS") } }
                #expect(!client.isConnected)
            }
            #expect(!log.lines.contains { $0.contains("wrong") && !$0.contains("WRONGPASS") })
        }
    }

    @Test("A server that talks nonsense is reported and left, again and again, and does no harm")
    func nonsense() async throws {
        let sentences = [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "+PONG\r\n+PONG\r\n+PONG\r\n", "*2147483647\r\n",
            "$1000000000\r\n" + String(repeating: "x", count: 100_000), "*1\r\n*1\r\n*1\r\n", "\0\u{1}\u{2}",
        ]
        let connections = Atomic(0)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let number = connections.wrappingAdd(1, ordering: .relaxed).newValue
                return channel.pipeline.addHandler(Babbler(sentence: sentences[number % sentences.count]))
            }.bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let log = LogLines()
        try await Self.withClient("redis://127.0.0.1:\(port)", log: log, isReachable: false) {
            $0.timeLimit = .milliseconds(200)
            $0.lastDelay = .milliseconds(50)
        } _: { client in
            try await Self.until { connections.load(ordering: .relaxed) > 24 }
            _ = try? await client.send(["GET", "a"])
            try await Self.until { log.lines.contains { $0.contains("Redis is out of reach") } }
        }
        try await listener.close()
    }

    @Test("TLS is spoken, and a certificate of strangers is refused")
    func encryption() async throws {
        try await withTemporaryDirectory { folder in
            try Self.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    folder + "/key.pem", "-out", folder + "/cert.pem",
                ])
            let port = try freePorts(1)[0]
            let server = try await RedisServer(
                folder: folder,
                arguments: [
                    "--tls-port", "\(port)", "--tls-cert-file", folder + "/cert.pem", "--tls-key-file",
                    folder + "/key.pem", "--tls-auth-clients", "no", "--bind", "127.0.0.1",
                ])
            defer { server.kill() }
            try await Self.withClient("rediss://localhost:\(port)?ca=\(folder)/cert.pem") { client in
                let answer = try await client.ask("ECHO", "x")
                #expect(answer == .text("x"))
            }
            try await Self.withClient("rediss://127.0.0.1:\(port)?ca=\(folder)/cert.pem") { client in
                let answer = try await client.ask("ECHO", "x")
                #expect(answer == .text("x"))
            }
            let log = LogLines()
            try await Self.withClient("rediss://localhost:\(port)", log: log, isReachable: false) { client in
                try await Self.until { log.lines.contains { $0.contains("Redis is out of reach") } }
                #expect(!client.isConnected)
            }
        }
    }

    @Test("Sentinels say who the master is, also after it died")
    func sentinels() async throws {
        try await withTemporaryDirectory { folder in
            let ports = try freePorts(3)
            func folderOf(_ name: String) throws -> String {
                try FileManager.default.createDirectory(
                    atPath: folder + "/" + name, withIntermediateDirectories: true)
                return folder + "/" + name
            }
            let diskless = ["--repl-diskless-sync-delay", "0", "--bind", "127.0.0.1"]
            let master = try await RedisServer(
                folder: try folderOf("one"), arguments: diskless, network: ports[0])
            defer { master.kill() }
            let replica = try await RedisServer(
                folder: try folderOf("two"), arguments: diskless + ["--replicaof", "127.0.0.1", "\(ports[0])"],
                network: ports[1])
            defer { replica.kill() }
            try await Self.until { (try? master.ask("INFO", "replication"))?.contains("state=online") == true }
            let rules = try folderOf("three") + "/sentinel.conf"
            try """
            port \(ports[2])
            bind 127.0.0.1
            sentinel monitor main 127.0.0.1 \(ports[0]) 1
            sentinel down-after-milliseconds main 500
            sentinel failover-timeout main 3000
            """.write(toFile: rules, atomically: true, encoding: .utf8)
            let sentinel = try await TestChild(["/usr/bin/redis-sentinel", rules])
            defer { sentinel.kill() }
            let nobody = try freePorts(1)[0]
            try await Self.withClient("redis+sentinel://127.0.0.1:\(nobody),127.0.0.1:\(ports[2])/main") { client in
                _ = try await client.send(["SET", "a", "1"])
                // Only a replica that the sentinel knows can take over.
                try await Self.until {
                    let facts = try? Self.run(
                        "/usr/bin/redis-cli", ["-p", "\(ports[2])", "SENTINEL", "replicas", "main"])
                    return facts?.contains("\(ports[1])") == true && facts?.contains("master-link-status\nok") == true
                }
                master.kill()
                try await Self.until(.seconds(60)) { (try? await client.ask("SET", "a", "2")) == .text("OK") }
                #expect(try replica.ask("GET", "a") == "2")
            }
        }
    }

    // MARK: How it is done

    /// Runs a client, waits until it is connected unless nobody answers, and stops it.
    private static func withClient(
        _ address: String, log: LogLines = LogLines(), isReachable: Bool = true,
        _ change: (inout RedisConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (RedisClient) async throws -> Void
    ) async throws {
        var configuration = RedisConfiguration(address: try RedisAddress(address), timeLimit: .seconds(2))
        change(&configuration)
        let client = try RedisClient(configuration, channels: ["news"], logger: log.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            if isReachable { try await until { client.isComplete } }
            try await body(client)
            group.cancelAll()
        }
    }

    private static func until(
        _ limit: Duration = .seconds(30), _ holds: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !holds() {
            try #require(ContinuousClock.now < deadline, "waited too long")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let child = Process()
        child.executableURL = URL(filePath: program)
        child.arguments = arguments
        let output = Pipe()
        child.standardOutput = output
        child.standardError = FileHandle.nullDevice
        child.standardInput = FileHandle.nullDevice
        try child.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        child.waitUntilExit()
        try #require(child.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    /// Says its sentence whenever something comes in.
    private final class Babbler: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let sentence: String

        init(sentence: String) { self.sentence = sentence }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: sentence)), promise: nil)
        }
    }

    /// What was logged, with its metadata.
    private final class LogLines: Sendable {
        private let kept = Mutex<[String]>([])
        var lines: [String] { kept.withLock { $0 } }
        var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

        private struct Handler: LogHandler {
            let log: LogLines
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.debug

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) {
                log.kept.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
            }
        }
    }
}

extension RedisClient {
    fileprivate func ask(_ words: String...) async throws -> RedisReply { try await send(RedisCommand(words)) }
}
