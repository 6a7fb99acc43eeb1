import Foundation
import Synchronization

/// A real PostgreSQL server on a temporary folder and a Unix socket of its own. It dies with the test process.
package final class PostgresServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let programs = "/usr/lib/postgresql/15/bin"

    /// The server that the tests of this process share; each makes databases of its own on it. Not durable, but quick.
    package static func shared() throws -> PostgresServer { try common.get() }

    private static let common = Result {
        try PostgresServer(
            settings: [
                "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300",
            ])
    }

    /// A cluster that was made once and is copied for each server.
    private static let template = Result {
        let folder = try makeFolder("template")
        try run(
            unprivileged([
                "\(programs)/initdb", "-D", folder + "/data", "-U", "app", "-A", "trust", "-N", "--locale=C.UTF-8",
                "-E",
                "UTF8",
            ]))
        watch(folder, "exec sleep infinity")
        return folder
    }

    /// Where the data, the socket and the log are.
    package let folder: String
    private let settings: [String: String]
    private let databases = Atomic(0)

    /// Starts a server. `settings` are lines of `postgresql.conf`; `files` are put beside the data, for the server only
    /// (certificates); `authentication` replaces `pg_hba.conf`.
    package init(
        settings: [String: String] = [:], files: [String: String] = [:], authentication: String? = nil
    ) throws {
        folder = try Self.makeFolder("postgres")
        self.settings = settings
        try Self.run(["/bin/cp", "-a", try Self.template.get() + "/data", folder + "/data"])
        for (name, text) in files { try write(text, to: folder + "/data/\(name)") }
        if let authentication { try write(authentication, to: folder + "/data/pg_hba.conf") }
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts it again after ``kill()`` or ``stop()``, and waits until it answers.
    package func start() throws {
        var options = [
            "unix_socket_directories": folder, "listen_addresses": "", "shared_buffers": "32MB",
            "max_connections": "100", "log_min_messages": "warning",
        ]
        options.merge(settings) { _, own in own }
        let arguments = options.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        try? FileManager.default.removeItem(atPath: folder + "/data/postmaster.pid")
        let command = Self.unprivileged(["\(Self.programs)/postgres", "-D", folder + "/data"] + arguments)
        Self.watch(
            folder, "exec " + command.map { "'\($0)'" }.joined(separator: " ") + " >> '\(folder)/log' 2>&1",
            removingFolder: false)
        try waitUntilReady()
    }

    package func waitUntilReady() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while (try? Self.run(["\(Self.programs)/pg_isready", "-q", "-h", folder, "-p", port])) == nil {
            guard ContinuousClock.now < deadline else {
                throw Failure(description: "PostgreSQL did not start:\n\(log)")
            }
            usleep(20_000)
        }
    }

    /// Ends it as a power cut would, and waits until nothing of it is left.
    package func kill() {
        guard let pid = processIdentifier else { return }
        Foundation.kill(pid, SIGKILL)
        waitForEnd(of: pid)
    }

    /// Ends it in an orderly way; sessions are cut off.
    package func stop() {
        guard let pid = processIdentifier else { return }
        Foundation.kill(pid, SIGINT)
        waitForEnd(of: pid)
    }

    /// Stops or continues all of its processes, as if the machine hung.
    package func freeze(_ isFrozen: Bool) throws {
        guard let pid = processIdentifier else { return }
        let children = (try? Self.run(["/usr/bin/pgrep", "-P", "\(pid)"])) ?? ""
        for process in [pid] + children.split(separator: "\n").compactMap({ pid_t($0) }) {
            Foundation.kill(process, isFrozen ? SIGSTOP : SIGCONT)
        }
    }

    package var log: String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }

    /// The address of one of its databases over the socket.
    package func address(of database: String, user: String = "app") -> String {
        "postgres://\(user)@/\(database)?host=\(folder)&port=\(port)"
    }

    /// Makes a database without tables; returns its name.
    package func makeDatabase(options: String = "") throws -> String {
        let name = "test\(databases.wrappingAdd(1, ordering: .relaxed).newValue)"
        try query("CREATE DATABASE \(name) \(options)", in: "postgres")
        return name
    }

    package func dropDatabase(_ name: String) throws {
        try query("DROP DATABASE \(name) WITH (FORCE)", in: "postgres")
    }

    /// Runs statements with `psql`; returns what it prints.
    @discardableResult
    package func query(_ text: String, in database: String) throws -> String {
        try Self.run([
            "\(Self.programs)/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", folder, "-p", port, "-U",
            "app",
            "-d", database, "-c", text,
        ])
    }

    private var processIdentifier: pid_t? {
        guard let text = try? String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8) else {
            return nil
        }
        return text.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    private func waitForEnd(of pid: pid_t) {
        // The children of a dead postmaster hold its shared memory until they have noticed.
        for _ in 0..<3000 where Foundation.kill(pid, 0) == 0 || FileManager.default.fileExists(atPath: socket) {
            if Foundation.kill(pid, 0) != 0 { try? FileManager.default.removeItem(atPath: socket) }
            usleep(10_000)
        }
        usleep(50_000)
        try? FileManager.default.removeItem(atPath: folder + "/data/postmaster.pid")
    }

    private var port: String { settings["port"] ?? "5432" }
    private var socket: String { folder + "/.s.PGSQL.\(port)" }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        if geteuid() == 0 { try Self.run(["/bin/chown", "nobody", path]) }
    }

    /// A folder that belongs to whoever runs the server.
    private static func makeFolder(_ name: String) throws -> String {
        let url = FileManager.default.temporaryDirectory.appending(path: "pw-\(name)-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let path = url.resolvingSymlinksInPath().path
        if geteuid() == 0 { try run(["/bin/chown", "nobody", path]) }
        return path
    }

    /// PostgreSQL refuses to run as root.
    private static func unprivileged(_ command: [String]) -> [String] {
        geteuid() == 0
            ? ["/usr/bin/setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] + command : command
    }

    /// Runs a shell command beside this process, and kills it when this process is gone, however it went.
    private static func watch(_ folder: String, _ command: String, removingFolder: Bool = true) {
        let watchdog = Process()
        watchdog.executableURL = URL(filePath: "/bin/sh")
        watchdog.arguments = [
            "-c",
            """
            (\(command)) & child=$!
            while kill -0 \(getpid()) 2> /dev/null && kill -0 $child 2> /dev/null; do sleep 0.5; done
            kill -9 $child 2> /dev/null
            kill -0 \(getpid()) 2> /dev/null || { sleep 1; rm -rf '\(folder)'; }
            """,
        ]
        watchdog.standardInput = FileHandle.nullDevice
        watchdog.standardOutput = FileHandle.nullDevice
        watchdog.standardError = FileHandle.nullDevice
        try? watchdog.run()
    }

    @discardableResult
    private static func run(_ command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        // PostgreSQL wants a folder that its user may read.
        process.currentDirectoryURL = URL(filePath: "/")
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(command.joined(separator: " ")): \(text)")
        }
        return text
    }
}
