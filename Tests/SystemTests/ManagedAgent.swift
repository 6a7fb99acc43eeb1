import Foundation
import TestSupport

/// A host whose agent is kept running by a service manager and replaced by an upgrade command, as packages do it: each
/// version is the real agent under that name, but for those whose name says that they crash or hang.
struct ManagedAgent {
    /// Keeps the version running that the file `wanted` names: ends the one before politely, starts it again when it died.
    private static let manager = """
        import os, subprocess, sys, time
        folder, command = sys.argv[1], sys.argv[2:]
        child, current = None, ""
        log = open(folder + "/managed.log", "ab")
        while True:
            try:
                wanted = open(folder + "/wanted").read().strip()
            except FileNotFoundError:
                wanted = ""
            if child and wanted != current:
                child.terminate()
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
                child = None
                if not wanted:
                    open(folder + "/stopped", "w").close()
            if child and child.poll() is not None:
                time.sleep(0.2)
                child = None
            if wanted and not child:
                words = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
                words += {"crashes": ["/bin/false"], "hangs": ["/bin/sleep", "3600"]}.get(wanted.split("+")[-1], command)
                child = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=dict(os.environ, PAGEWRIGHT_PACKAGE_VERSION=wanted))
                current = wanted
            time.sleep(0.05)
        """

    let folder: String
    private let child: TestChild

    /// Starts version 1.0.0 of an agent that has joined; `options` are those of `run`.
    init(folder: String, options: [String]) async throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.manager.write(toFile: folder + "/manager.py", atomically: true, encoding: .utf8)
        try "#!/bin/sh\necho \"$1\" > '\(folder)/w' && mv '\(folder)/w' '\(folder)/wanted'\n".write(
            toFile: folder + "/install", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/install")
        try "1.0.0".write(toFile: folder + "/wanted", atomically: true, encoding: .utf8)
        child = try await TestChild(
            ["/usr/bin/python3", folder + "/manager.py", folder, Tool.path(of: "pagewright-agent"), "run"] + options
                + ["--upgrade-command", folder + "/install", "--upgrade-gate", "20"])
    }

    var wanted: String {
        ((try? String(contentsOfFile: folder + "/wanted", encoding: .utf8)) ?? "")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Politely, so that its nginx ends with it.
    func stop() {
        try? "".write(toFile: folder + "/wanted", atomically: true, encoding: .utf8)
        for _ in 0..<400 where child.isRunning && !FileManager.default.fileExists(atPath: folder + "/stopped") {
            usleep(50_000)
        }
        child.kill()
    }
}
