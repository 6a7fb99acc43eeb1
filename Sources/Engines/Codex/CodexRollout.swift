import Domain
import FoundationEssentials
import Glibc
import Sandbox

/// What Codex wrote down about its use of the model. Only a run that failed needs it: a completed turn says so itself.
enum CodexRollout {
    private struct Line: Decodable {
        struct Payload: Decodable {
            var type: String?
            var info: Info?
        }
        struct Info: Decodable { var total_token_usage: Usage? }
        struct Usage: Decodable {
            var input_tokens: Int?
            var cached_input_tokens: Int?
            var output_tokens: Int?
        }
        var payload: Payload?
    }

    private static let sizeLimit = 16 << 20

    /// The last total in the only session of `state`; `nil` when there is none. Blocks.
    ///
    /// The task could write to the folder too, so that no link is followed and only plain files are read.
    static func usage(in state: String) -> TokenUsage? {
        let root = open(state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard root >= 0 else { return nil }
        defer { close(root) }
        // sessions/year/month/day/rollout-….jsonl
        var path = "sessions"
        for _ in 0..<4 {
            guard let name = lastName(in: path, of: root) else { return nil }
            path += "/" + name
        }
        guard path.hasSuffix(".jsonl"), let text = read(path, of: root) else { return nil }
        for line in text.split(separator: "\n").reversed() where line.contains("token_count") {
            guard
                let usage = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)).payload?.info?.total_token_usage
            else { continue }
            let cached = max(0, usage.cached_input_tokens ?? 0)
            return TokenUsage(
                uncachedInput: max(0, max(0, usage.input_tokens ?? 0) - cached), cachedInput: cached,
                output: max(0, usage.output_tokens ?? 0))
        }
        return nil
    }

    private static func lastName(in path: String, of root: Int32) -> String? {
        guard let folder = try? LinuxCall.open(path, beneath: root, flags: O_RDONLY | O_DIRECTORY) else { return nil }
        guard let stream = fdopendir(folder) else {
            close(folder)
            return nil
        }
        defer { closedir(stream) }
        var last: String?
        while let entry = readdir(stream) {
            let name = DirectoryEntry.name(of: entry)
            if !name.hasPrefix("."), name > last ?? "" { last = name }
        }
        return last
    }

    private static func read(_ path: String, of root: Int32) -> String? {
        guard let file = try? LinuxCall.open(path, beneath: root, flags: O_RDONLY | O_NONBLOCK) else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= sizeLimit else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = Glibc.read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
