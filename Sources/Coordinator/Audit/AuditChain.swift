import Artifacts
package import Domain

/// The hash chain of the audit log: each row's hash covers the row and the hash of the row before it.
package struct AuditChain: Sendable {
    /// The first row that is not as it was written.
    package struct Break: Error, Sendable, Equatable, CustomStringConvertible {
        package enum Kind: String, Sendable {
            /// The number is not there.
            case missing
            /// The row does not have the hash that was written with it.
            case changed
            /// The row does not follow the one before it.
            case detached
            /// The log ends before a row that is known to have been there.
            case truncated
            /// The chain is whole, but is not the one that is remembered.
            case replaced
        }

        package let number: Int64
        package let kind: Kind

        package var description: String {
            switch kind {
            case .missing: "row \(number) of the audit log is missing"
            case .changed: "row \(number) of the audit log was changed"
            case .detached: "row \(number) of the audit log does not follow the row before it"
            case .truncated: "the audit log was cut off: row \(number) is gone"
            case .replaced: "row \(number) of the audit log is not the one that is remembered"
            }
        }
    }

    package private(set) var head = AuditHead.genesis

    /// A chain that goes on from `head`.
    package init(after head: AuditHead = .genesis) {
        self.head = head
    }

    /// Adds a row at the end.
    package mutating func append(_ entry: AuditEntry) -> SealedAuditEntry {
        let number = head.number + 1
        let previous = head.hash
        let hash = Self.hash(entry, number: number, previous: previous)
        head = AuditHead(number: number, hash: hash)
        return SealedAuditEntry(entry: entry, number: number, previousHash: previous, hash: hash)
    }

    /// Goes one row on, if it is the next one and is as it was written.
    package mutating func check(_ sealed: SealedAuditEntry) throws(Break) {
        guard sealed.number == head.number + 1 else { throw Break(number: head.number + 1, kind: .missing) }
        guard sealed.previousHash == head.hash else { throw Break(number: sealed.number, kind: .detached) }
        guard Self.hash(sealed.entry, number: sealed.number, previous: sealed.previousHash) == sealed.hash else {
            throw Break(number: sealed.number, kind: .changed)
        }
        head = AuditHead(number: sealed.number, hash: sealed.hash)
    }

    private static func hash(_ entry: AuditEntry, number: Int64, previous: ContentDigest) -> ContentDigest {
        ContentDigest(hashing: Array(entry.canonicalText(number: number, previousHash: previous).utf8))
    }
}
