import Foundation
import Synchronization

/// A real Redis server of its own, on a unix socket in a folder; it dies with the test process, however that dies.
package final class RedisServer: Sendable {
    private let folder: String
    private let arguments: [String]
    private let child = Mutex<TestChild?>(nil)

    /// Starts a server and waits until it answers. `arguments` are options of `redis-server`.
    package init(folder: String, arguments: [String] = [], network port: Int = 0) async throws {
        self.folder = folder
        self.arguments = ["--port", "\(port)"] + arguments
        try await start()
    }

    package var socket: String { folder + "/redis.sock" }
    package var address: String { "redis+unix://\(socket)" }

    /// Starts it (again) with what it had on disk, which is nothing.
    package func start() async throws {
        try? FileManager.default.removeItem(atPath: socket)
        let child = try await TestChild(
            [
                "/usr/bin/redis-server", "--unixsocket", socket, "--dir", folder, "--save", "", "--appendonly", "no",
                "--databases", "4096", "--daemonize", "no",
            ] + arguments)
        self.child.withLock { $0 = child }
        let deadline = ContinuousClock.now + .seconds(30)
        while !FileManager.default.fileExists(atPath: socket) {
            guard ContinuousClock.now < deadline, child.isRunning else {
                child.kill()
                throw TestFailure("redis-server did not start; is redis-server installed?")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// As by `kill -9`.
    package func kill() { child.withLock { $0 }?.kill() }

    /// Stops it in the middle of whatever it does, until ``resume()``.
    package func pause() { child.withLock { $0 }?.signal(SIGSTOP) }

    package func resume() { child.withLock { $0 }?.signal(SIGCONT) }

    /// What `redis-cli` prints.
    @discardableResult
    package func ask(_ words: String...) throws -> String {
        let client = Process()
        client.executableURL = URL(filePath: "/usr/bin/redis-cli")
        client.arguments = ["-s", socket] + words
        let output = Pipe()
        client.standardOutput = output
        client.standardError = FileHandle.nullDevice
        client.standardInput = FileHandle.nullDevice
        try client.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        client.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit { child.withLock { $0 }?.signal(SIGKILL) }

    /// Runs `body` with a server of its own.
    package static func run<Value>(
        arguments: [String] = [], _ body: (RedisServer) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryDirectory { folder in
            let server = try await RedisServer(folder: folder, arguments: arguments)
            defer { server.kill() }
            return try await body(server)
        }
    }

    private static let shared = Task {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "pagewright-redis-\(ProcessInfo.processInfo.processIdentifier)")
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return try await RedisServer(folder: folder.resolvingSymlinksInPath().path)
    }
    private static let nextDatabase = Atomic(0)

    /// The address of an empty database on the server that all tests of this process share.
    package static func emptyDatabase() async throws -> (address: String, number: Int) {
        let server = try await shared.value
        let number = nextDatabase.wrappingAdd(1, ordering: .relaxed).newValue
        return (server.address + "?db=\(number)", number)
    }
}
