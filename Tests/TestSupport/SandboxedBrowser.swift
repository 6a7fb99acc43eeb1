import Foundation

/// Finds Chromium's main process inside of a sandbox.
package enum SandboxedBrowser {
    /// Those to which something below `folder` was bound.
    package static func processes(seeing folder: String) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap(Int32.init).filter { process in
            // Files of /proc say that they are empty, so they are read to their end.
            guard let command = read("/proc/\(process)/cmdline"), command.contains("/chromium"),
                command.contains("--remote-debugging-pipe"), !command.contains("--type="),
                !command.contains("page-checker"), let mounts = read("/proc/\(process)/mountinfo")
            else { return false }
            return mounts.contains((folder as NSString).lastPathComponent)
        }
    }

    private static func read(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
