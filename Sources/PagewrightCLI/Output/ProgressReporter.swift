import Foundation

/// Shows how far something is: one line that changes on a terminal, a line per change elsewhere, nothing with
/// `--json`. It writes to standard error, so that standard output stays the result.
struct ProgressReporter {
    enum Style { case terminal, lines, silent }
    private let style: Style
    private let started = ContinuousClock.now
    private var last = ""

    init(style: Style) { self.style = style }

    init(asJSON: Bool) {
        style = asJSON ? .silent : (Console.errorIsTerminal ? .terminal : .lines)
    }

    mutating func show(_ text: String) {
        guard style != .silent else { return }
        if style == .terminal {
            let seconds = Int((ContinuousClock.now - started).components.seconds)
            Console.write(Data("\r\u{1B}[2K\(text)  (\(seconds) s)".utf8), to: STDERR_FILENO)
        } else if text != last {
            Console.printError(text)
        }
        last = text
    }

    /// Takes the changing line away.
    mutating func end() {
        if style == .terminal, !last.isEmpty { Console.write(Data("\r\u{1B}[2K".utf8), to: STDERR_FILENO) }
        last = ""
    }
}
