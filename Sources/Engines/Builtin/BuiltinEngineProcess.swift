import Glibc

/// The built-in editor as a process: a request on standard input, events as lines of JSON on standard output, the site
/// in the current folder.
package enum BuiltinEngineProcess {
    private static let promptLimit = 256 << 10

    /// Runs to the end. Gives the exit status: 0 when the request was carried out, 3 when it was refused and nothing
    /// changed, 1 when something failed, with the reason on standard error.
    package static func run() -> Int32 { run(input: STDIN_FILENO, output: STDOUT_FILENO, folder: ".") }

    package static func run(input: Int32, output: Int32, folder: String) -> Int32 {
        guard let prompt = readAll(input) else {
            write("cannot read the request\n", to: STDERR_FILENO)
            return 1
        }
        var status: Int32 = 1
        do {
            try BuiltinEditor.apply(prompt, inWorkspaceAt: folder) { event in
                switch event {
                case .progress: break
                case .finished: status = 0
                case .refused: status = 3
                }
                write(event.line + "\n", to: output)
            }
        } catch {
            write("\(error)\n", to: STDERR_FILENO)
            return 1
        }
        return status
    }

    private static func readAll(_ file: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count <= promptLimit else { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    private static func write(_ text: String, to file: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            done += count
        }
    }
}
