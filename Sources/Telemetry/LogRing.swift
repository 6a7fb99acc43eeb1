import Synchronization

/// The last lines of this program's log, for whoever asks the program itself.
package final class LogRing: Sendable {
    /// What ``StandardErrorLogHandler`` writes, when it was told to keep it.
    package static let standard = LogRing()
    private static let limitInLines = 2000
    private static let limitInBytes = 1 << 20

    private struct State {
        var lines: [String] = []
        /// The number of the first line that is kept; lines are counted from 1.
        var first: UInt64 = 1
        var bytes = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func append(_ line: String) {
        state.withLock { state in
            state.lines.append(line)
            state.bytes += line.utf8.count
            guard state.lines.count > Self.limitInLines || state.bytes > Self.limitInBytes else { return }
            // A quarter at once, so that it does not move everything for every line.
            let count = max(1, state.lines.count / 4)
            state.bytes -= state.lines.prefix(count).reduce(0) { $0 + $1.utf8.count }
            state.lines.removeFirst(count)
            state.first += UInt64(count)
        }
    }

    /// The lines after number `after`, at most `limit` of them, and the number of the last one.
    package func lines(after: UInt64, limit: Int = 500) -> (lines: [String], last: UInt64, isGapped: Bool) {
        state.withLock { state in
            let end = state.first + UInt64(state.lines.count) - 1
            // A program that started anew counts from 1 again.
            let wanted = after > end ? 0 : after
            let start = max(wanted + 1, state.first)
            guard start <= end else { return ([], end, false) }
            let index = Int(start - state.first)
            // Without a place to go on from, the newest.
            let from = wanted == 0 ? max(index, state.lines.count - limit) : index
            let lines = Array(state.lines[from..<min(from + limit, state.lines.count)])
            return (lines, state.first + UInt64(from + lines.count) - 1, wanted != 0 && start > wanted + 1)
        }
    }
}
