/// One row of the audit log: one effect. Its words are as they were read, because a row that somebody tampered with
/// must still be readable in order to be named.
package struct AuditEntry: Sendable, Equatable {
    package let id: String
    package let at: Timestamp
    /// ``AuditActor/text``.
    package let actor: String
    /// A word of ``AuditAction``.
    package let action: String
    /// The identifier of what it was done to, or its name when it has none.
    package let subject: String
    /// The site that it belongs to, if to any.
    package let site: String?
    /// Small facts; never a secret, a password, a prompt or a token.
    package let details: [String: String]
    /// The request that asked for it; empty when none did.
    package let requestID: String

    package init(
        id: String, at: Timestamp, actor: String, action: String, subject: String, site: String?,
        details: [String: String], requestID: String
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.site = site
        self.details = details
        self.requestID = requestID
    }

    /// The bytes that the row's hash is the SHA-256 of. Every field stands behind its length in bytes, so no two rows
    /// have the same text.
    package func canonicalText(number: Int64, previousHash: ContentDigest) -> String {
        var fields = [
            "pagewright-audit-1", previousHash.text, String(number), id, at.description, actor, action, subject,
            site ?? "", requestID,
        ]
        for (name, value) in details.sorted(by: { $0.key < $1.key }) { fields += [name, value] }
        return fields.map { "\($0.utf8.count):\($0)\n" }.joined()
    }
}

/// A row with its place in the chain.
package struct SealedAuditEntry: Sendable, Equatable {
    package let entry: AuditEntry
    /// 1, 2, 3 … without a gap.
    package let number: Int64
    /// The hash of the row before; 64 zeros for the first.
    package let previousHash: ContentDigest
    /// SHA-256 of ``AuditEntry/canonicalText(number:previousHash:)``.
    package let hash: ContentDigest

    package init(entry: AuditEntry, number: Int64, previousHash: ContentDigest, hash: ContentDigest) {
        self.entry = entry
        self.number = number
        self.previousHash = previousHash
        self.hash = hash
    }
}

/// The end of the chain. Whoever remembers one can tell later whether the log was cut off before it.
package struct AuditHead: Sendable, Equatable, CustomStringConvertible {
    package let number: Int64
    package let hash: ContentDigest

    /// Before the first row.
    package static let genesis = AuditHead(number: 0, hash: ContentDigest(String(repeating: "0", count: 64))!)

    package init(number: Int64, hash: ContentDigest) {
        self.number = number
        self.hash = hash
    }

    /// Reads `17:<64 digits>`.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int64(parts[0]), number >= 0, let hash = ContentDigest(String(parts[1]))
        else { return nil }
        self.init(number: number, hash: hash)
    }

    package var description: String { "\(number):\(hash)" }
}
