package import Domain

/// What a worker must be able to do for a job. A coordinator takes only jobs whose label its own free workers have.
package struct QueueLabel: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    package init(_ engine: EngineName) { text = engine.rawValue }

    /// Takes a word back that was made from a label; `nil` when it cannot be one.
    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }) else {
            return nil
        }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: QueueLabel, right: QueueLabel) -> Bool { left.text < right.text }
}
