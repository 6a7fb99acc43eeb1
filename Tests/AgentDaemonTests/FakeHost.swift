import AgentCore
import Foundation
import TestSupport

@testable import AgentDaemon

/// A host on which versions of an "agent" can be installed: a service manager that keeps the wanted version running, and
/// versions that work, crash, hang or complain, each a process.
struct FakeHost: Sendable {
    /// What becomes of a version that is started.
    enum Behaviour: String, Sendable {
        /// Answers `status`.
        case works
        /// Ends at once.
        case crashes
        /// Runs, and opens no socket.
        case sleeps
        /// Takes questions, and answers none.
        case hangs
        /// Answers for a moment, and ends then; again and again.
        case flaps
    }

    /// As the service manager of a host: keeps the version running that the file `wanted` names, and starts it again.
    private static let manager = """
        import os, subprocess, sys, time
        folder, agent = sys.argv[1], sys.argv[2]
        child, current = None, ""
        while True:
            try:
                wanted = open(folder + "/wanted").read().strip()
            except FileNotFoundError:
                wanted = ""
            if child and (wanted != current or child.poll() is not None):
                child.kill()
                child.wait()
                child = None
            if wanted and not child:
                child = subprocess.Popen(["/usr/bin/setpriv", "--pdeathsig", "KILL", sys.executable, agent, folder, wanted])
                current = wanted
            time.sleep(0.02)
        """

    /// One version of the agent.
    private static let agent = """
        import os, socket, sys, time
        folder, version = sys.argv[1], sys.argv[2]
        behaviour = open(folder + "/behaviour-" + version).read()
        path = folder + "/a/run/agent.sock"
        if behaviour == "crashes":
            sys.exit(1)
        if behaviour == "sleeps":
            time.sleep(3600)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(16)
        end = time.time() + (0.6 if behaviour == "flaps" else 3600)
        while time.time() < end:
            server.settimeout(max(0.01, end - time.time()))
            try:
                client, _ = server.accept()
            except TimeoutError:
                break
            if behaviour == "hangs":
                time.sleep(3600)
            client.settimeout(2)
            try:
                client.recv(4096)
                client.sendall(open(folder + "/status-" + version, "rb").read() + b"\\n")
            except OSError:
                pass
            client.close()
        os.unlink(path)
        """

    let folder: String
    let state: StateFolder

    /// Runs the service manager for the scope of `body`.
    static func run(_ body: (FakeHost) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let host = FakeHost(folder: folder, state: StateFolder(path: folder + "/a"))
            try FileManager.default.createDirectory(
                atPath: folder + "/a/run", withIntermediateDirectories: true)
            for (name, script) in [("manager.py", manager), ("agent.py", agent)] {
                try script.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            }
            // What root's part of an upgrade does: the version is wanted from now on. One version cannot be had.
            try host.write(
                "#!/bin/sh\n[ \"$1\" != 9.9.9 ] || exit 3\necho \"$1\" > '\(folder)/w' && mv '\(folder)/w' '\(folder)/wanted'\n",
                to: "install")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: host.install)
            let child = try await TestChild([
                "/usr/bin/python3", folder + "/manager.py", folder, folder + "/agent.py",
            ])
            defer { child.kill() }
            try await body(host)
        }
    }

    var install: String { folder + "/install" }

    /// The version that is to run now.
    var wanted: String? {
        (try? String(contentsOfFile: folder + "/wanted", encoding: .utf8))?.trimmingCharacters(
            in: .whitespacesAndNewlines)
    }

    /// Makes a version known; `change` says what its status is like.
    func offer(_ version: String, _ behaviour: Behaviour, _ change: (inout AgentStatus) -> Void = { _ in }) throws {
        var status = AgentStatus(
            host: "host_1", name: "web-1", roles: ["serving", "worker"], version: version, coordinator: "c:8443")
        status.isConnected = true
        change(&status)
        try write(behaviour.rawValue, to: "behaviour-\(version)")
        try write(String(decoding: try AgentStatus.encoder.encode(status), as: UTF8.self), to: "status-\(version)")
    }

    /// Starts a version and waits until it answers.
    func start(_ version: String) async throws {
        try write(version, to: "wanted")
        try await untilItAnswers(version)
    }

    func untilItAnswers(_ version: String) async throws {
        for _ in 0..<600 {
            if let status = try? await StatusClient(path: state.socket).status(), status.version == version { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw TestFailure("\(version) never answered")
    }

    /// A task that runs on the host, as its folder shows it.
    func makeTask(of job: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(state.jobs)/\(job)-1-77", withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
}
