import Domain
import Synchronization

/// Names the rows of the audit log so that they sort as they were written, also within one millisecond: in one
/// transaction cause stands before effect. Behind the time stand forty bits that count and twenty of chance, which set
/// rows apart that two coordinators write in the same instant.
final class AuditOrder: Sendable {
    private struct Place: RandomNumberGenerator {
        let bits: UInt64
        mutating func next() -> UInt64 { bits }
    }

    // From somewhere in the lower half of what forty bits hold, so that it never begins again at zero.
    private let count = Atomic(UInt64.random(in: 0..<(1 << 39)))

    func makeID(at now: Timestamp) -> AuditEntryID {
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue & ((1 << 40) - 1)
        var place = Place(bits: number << 20 | UInt64.random(in: 0..<(1 << 20)))
        return AuditEntryID(at: now, using: &place)
    }
}
