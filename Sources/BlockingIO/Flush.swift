import Dispatch
import Synchronization

/// Makes several files or folders durable side by side: a disk takes hardly longer for all than for one. Blocks.
package enum Flush {
    private static let width = 8

    /// Throws the first failure, after all have been tried.
    package static func all(_ files: [OpenFile]) throws {
        guard files.count > 1 else { return try files.first?.sync() ?? () }
        let next = Atomic(0)
        let failure = Mutex<(any Error)?>(nil)
        let group = DispatchGroup()
        for number in 0..<min(width, files.count) {
            // Serial queues, because each of them gets a thread of its own.
            DispatchQueue(label: "pagewright.flush.\(number)").async(group: group) {
                while case let index = next.add(1, ordering: .relaxed).oldValue, index < files.count {
                    do {
                        try files[index].sync()
                    } catch {
                        failure.withLock { $0 = $0 ?? error }
                    }
                }
            }
        }
        group.wait()
        if let error = failure.withLock(\.self) { throw error }
    }
}
