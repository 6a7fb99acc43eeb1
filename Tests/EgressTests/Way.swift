import BlockingIO
import Domain
import Foundation
import Logging
import NIOCore
import NIOSSL
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import Egress

/// Keeps log lines with their metadata.
final class LogKeeper: Sendable {
    private let state = Mutex<[String]>([])
    var lines: [String] { state.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(keeper: self) }
    }

    private struct Handler: LogHandler {
        let keeper: LogKeeper
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
            keeper.state.withLock { $0.append("\(event.message) \(fields)") }
        }
    }
}

/// A broker with a model behind it, and a real sandbox before it.
struct Way {
    static let key = "sk-the-real-key-1234567890"

    let folder: String
    let server: ModelServer
    let log: LogKeeper
    let job: JobID
    private let runner: SandboxRunner

    /// - Parameters:
    ///   - baseURL: `nil` is the server itself, which the operator allowed.
    ///   - settings: changes what the operator decides.
    static func open(
        baseURL: String? = nil, host: String = "127.0.0.1", byteBudget: Int64 = 1 << 20, requestBudget: Int = 50,
        silence: Duration? = nil,
        resolver: HostResolver? = nil, witness: (any EgressWitness)? = nil, playback: (any EgressPlayback)? = nil,
        settings change: (inout EgressSettings, Int) -> Void = { _, _ in },
        tls: NIOSSLContext? = nil,
        answering answer: @escaping @Sendable (ModelServer.Asked) -> ModelServer.Answer = { _ in .init() },
        _ body: (Way) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let server = try await ModelServer.start(tls: tls, host: host, answering: answer)
            defer { server.stop() }
            for name in ["site", "way"] {
                try FileManager.default.createDirectory(
                    atPath: folder + "/" + name, withIntermediateDirectories: true)
            }
            var settings = EgressSettings()
            settings.localModels = ["127.0.0.1:\(server.port)"]
            settings.bodyLimit = 1 << 20
            change(&settings, server.port)
            let log = LogKeeper()
            let pool = BlockingPool(label: "test", width: 2)
            let broker = try EgressBroker(settings: settings, resolver: resolver, pool: pool, logger: log.logger)
            let job = JobID(at: Timestamp(millisecondsSinceEpoch: 1_700_000_000_000))
            let endpoint = ModelEndpoint(
                provider: .openAIResponses,
                baseURL: (baseURL ?? "http://127.0.0.1:PORT/v1").replacing("PORT", with: "\(server.port)"),
                authorizationName: "authorization", authorizationValue: "Bearer \(key)")
            let grant = EgressGrant(
                socketPath: folder + "/way/model.sock", job: job, allowed: [endpoint], byteBudget: byteBudget,
                requestBudget: requestBudget, silence: silence, witness: witness, playback: playback)
            let way = Way(folder: folder, server: server, log: log, job: job, runner: try SandboxRunner())
            try await broker.withSocket(for: grant) { try await body(way) }
            #expect(!FileManager.default.fileExists(atPath: grant.socketPath), "the way is closed")
            #expect(!log.lines.contains { $0.contains(key) }, "the key is in no log")
        }
    }

    /// Runs a script in a sandbox that has the socket, and returns what it prints.
    func sandbox(_ command: [String], input: [UInt8] = []) async throws -> String {
        let output = Output()
        var plan = SandboxPlan(
            workspace: folder + "/site", command: command, limits: SandboxLimits(wallTime: .seconds(60)))
        plan.modelSocket = .init(folder: folder + "/way")
        let outcome = try await runner.run(plan, input: input) { output.add($0) }
        if case .exited = outcome.ending {} else { Issue.record("\(outcome)") }
        return output.text
    }

    private final class Output: Sendable {
        private let state = Mutex("")
        func add(_ output: SandboxOutput) {
            switch output {
            case .line(let line), .diagnostic(let line): state.withLock { $0 += line + "\n" }
            }
        }
        var text: String { state.withLock { $0 } }
    }

    /// Speaks to the socket from inside of a sandbox: sends what it reads, and prints what comes back until the end.
    static let speaker = """
        $SIG{ALRM} = sub { print "\\n(nothing more)\\n"; exit }; alarm 25;
        socket(S, AF_UNIX, SOCK_STREAM, 0) or die; connect(S, sockaddr_un("/run/model/model.sock")) or die "closed";
        local $/; my $said = <STDIN>; $SIG{PIPE} = "IGNORE";
        while (length $said) { my $n = syswrite(S, $said, 65536); last unless $n; substr($said, 0, $n) = ""; }
        while (sysread(S, my $heard, 65536)) { print $heard }
        """

    /// What the broker answers to these bytes.
    func say(_ bytes: String) async throws -> String {
        try await sandbox(["/usr/bin/perl", "-MSocket", "-e", Self.speaker], input: Array(bytes.utf8))
    }

    /// A proper request.
    static func request(
        _ target: String = "/v1/responses", method: String = "POST", headers: [String] = [], body: String = "{}"
    ) -> String {
        let lines =
            ["\(method) \(target) HTTP/1.1", "host: 127.0.0.1:8399", "connection: close"]
            + (body.isEmpty ? [] : ["content-length: \(body.utf8.count)"]) + headers
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}
