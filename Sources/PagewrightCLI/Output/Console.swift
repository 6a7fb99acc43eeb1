import Foundation

/// The terminal, or what stands in its place.
enum Console {
    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
    static var usesColour: Bool {
        outputIsTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    }

    /// One line on standard output.
    static func print(_ text: String) { write(Data((text + "\n").utf8), to: STDOUT_FILENO) }

    static func printError(_ text: String) { write(Data((text + "\n").utf8), to: STDERR_FILENO) }

    /// JSON as it is, with one line end.
    static func print(json: Data) {
        var json = json
        while json.last == UInt8(ascii: "\n") { json.removeLast() }
        write(json + Data([UInt8(ascii: "\n")]), to: STDOUT_FILENO)
    }

    /// One line of JSON.
    static func print(object: [String: Any]) {
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        print(json: data ?? Data("{}".utf8))
    }

    /// Writes everything, or gives up when nobody reads any more.
    static func write(_ data: Data, to descriptor: Int32) {
        data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR || errno == EAGAIN { continue }
                    return
                }
                rest = rest.dropFirst(count)
            }
        }
    }
}

extension Slice where Base == UnsafeRawBufferPointer {
    fileprivate var baseAddress: UnsafeRawPointer? { UnsafeRawBufferPointer(rebasing: self).baseAddress }
}
