import Dispatch
import Glibc

/// The nginx processes that belong to one folder, whoever started them.
///
/// An agent that was killed may leave a master, or workers without one, that still hold the port. They are known by
/// their program and by the folder that they run in: process numbers written down could by now be somebody else's.
struct NginxProcesses {
    let directory: String

    /// Masters and workers alike, in ascending order.
    func running() -> [pid_t] {
        guard let listing = opendir("/proc") else { return [] }
        defer { closedir(listing) }
        var found: [pid_t] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let process = pid_t(name), isOurs(process) else { continue }
            found.append(process)
        }
        return found.sorted()
    }

    /// Whether there is such a process that has not ended; one that waits to be reaped has.
    func isAlive(_ process: pid_t) -> Bool { link("/proc/\(process)/exe") != nil }

    private func isOurs(_ process: pid_t) -> Bool {
        guard link("/proc/\(process)/cwd") == directory, let program = link("/proc/\(process)/exe") else {
            return false
        }
        return program.split(separator: "/").last.map { $0 == "nginx" || $0.hasPrefix("nginx ") } ?? false
    }

    private func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    /// Asks them to finish what they are sending and to go; then tells them; then makes them. Returns how many there
    /// were. Takes about `patience` at the longest.
    func stop(patience: Duration = .seconds(4)) async -> Int {
        let first = running()
        guard !first.isEmpty else { return 0 }
        let start = ContinuousClock.now
        for (signal, share) in [(SIGQUIT, 0.5), (SIGTERM, 0.8), (SIGKILL, 1.0)] {
            for process in running() { kill(process, signal) }
            while ContinuousClock.now - start < patience * share {
                if running().isEmpty { return first.count }
                // An uncancelled wait: who is stopping must still stop these.
                await Self.pause(milliseconds: 20)
            }
        }
        return first.count
    }

    private static func pause(milliseconds: Int) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { continuation.resume() }
        }
    }
}
