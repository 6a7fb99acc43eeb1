import AgentCore
import Synchronization

/// What bringing one generation to the host has moved so far, attempts that failed included.
final class TransferTally: Sendable {
    private let sum = Mutex(TransferSummary.zero)

    var total: TransferSummary { sum.withLock(\.self) }

    func add(_ summary: TransferSummary) { sum.withLock { $0 = $0 + summary } }
}
