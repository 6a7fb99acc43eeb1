import Foundation

/// The one folder that holds everything of a local system.
struct StateDirectory: Sendable {
    let path: String
    var coordinator: String { path + "/coordinator" }
    var agent: String { path + "/agent" }
    var logs: String { path + "/log" }
    private var processes: String { path + "/processes.json" }

    init(path: String) {
        self.path = URL(filePath: path).standardizedFileURL.path
    }

    func prepare() throws {
        // Only nginx's workers have to pass, to the agent's folder; they are others when this runs as root.
        for (folder, mode) in [(path, 0o711), (coordinator, 0o700), (agent, 0o711), (logs, 0o700)] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
            } catch {
                throw CLIError(
                    .failed, "cannot make the folder \(folder): \(error.localizedDescription)",
                    nextStep: "Name a folder that you can write to with --state.")
            }
        }
    }

    /// Keeps every other `pagewright up` out of the folder until the descriptor is closed.
    func lock() throws -> Int32 {
        let lockPath = path + "/up.lock"
        let lock = open(lockPath, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw CLIError(.failed, "cannot open \(lockPath): \(String(cString: strerror(errno)))") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let owner = (try? String(contentsOfFile: lockPath, encoding: .utf8))?.trimmingCharacters(
                in: .whitespacesAndNewlines)
            close(lock)
            throw CLIError(
                .failed, "another `pagewright up` (process \(owner ?? "unknown")) uses \(path)",
                nextStep: "Stop it, or name another folder with --state.")
        }
        ftruncate(lock, 0)
        Console.write(Data("\(getpid())\n".utf8), to: lock)
        return lock
    }

    /// Notes who was started, so that a start after a hard kill can end what stayed behind.
    func note(processes identifiers: [String: Int32]) throws {
        let data = try JSONSerialization.data(withJSONObject: identifiers.mapValues(Int.init), options: [.sortedKeys])
        try data.write(to: URL(filePath: processes), options: .atomic)
    }

    func forgetProcesses() { unlink(processes) }

    /// Ends programs of an earlier start that outlived it, and returns their names.
    func endLeftovers(of programs: [String]) async throws -> [String] {
        guard let data = FileManager.default.contents(atPath: processes),
            let noted = try? JSONSerialization.jsonObject(with: data) as? [String: Int]
        else { return [] }
        var ended: [String] = []
        // The agent before the coordinator, as in every stop.
        for (name, number) in noted.sorted(by: { $0.key < $1.key }) {
            let identifier = Int32(number)
            guard isOurs(identifier, programs: programs) else { continue }
            ended.append("\(name) (process \(identifier))")
            kill(identifier, SIGTERM)
            let deadline = ContinuousClock.now + .seconds(10)
            while isOurs(identifier, programs: programs) {
                if ContinuousClock.now > deadline { kill(identifier, SIGKILL) }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        forgetProcesses()
        return ended
    }

    /// Whether the process is one of our programs at work in this folder; a number may have been given to another.
    private func isOurs(_ identifier: Int32, programs: [String]) -> Bool {
        guard let line = FileManager.default.contents(atPath: "/proc/\(identifier)/cmdline"), !line.isEmpty else {
            return false
        }
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard let program = words.first?.split(separator: "/").last else { return false }
        return programs.contains(String(program)) && words.contains { $0.hasPrefix(path + "/") }
    }

    /// The last lines of a log, for the person who has to find out why.
    func tail(of log: String, lines count: Int = 15) -> [String] {
        guard let handle = FileHandle(forReadingAtPath: log) else { return [] }
        defer { try? handle.close() }
        let size = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: size > 16_384 ? size - 16_384 : 0)
        let text = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").suffix(count).map(String.init)
    }
}
