/// The end of what a program wrote to standard error.
struct DiagnosticTail {
    static let limit = 16_384
    private var lines: [String] = []
    private var size = 0

    mutating func add(_ line: String) {
        let line = String(line.prefix(Self.limit / 4))
        lines.append(line)
        size += line.utf8.count + 1
        while size > Self.limit, lines.count > 1 { size -= lines.removeFirst().utf8.count + 1 }
    }

    var text: String { lines.joined(separator: "\n") }
}
