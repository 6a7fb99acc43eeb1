import Crypto
import Foundation

/// One row of the audit log, as the API tells it.
struct AuditEntryBody: Decodable, Equatable {
    struct Detail: Decodable, Equatable {
        let name: String
        let value: String
    }

    let number: Int64
    let id: String
    let at: String
    let actor: String
    let action: String
    let subject: String
    let siteId: String?
    let details: [Detail]
    let requestId: String
    let previousHash: String
    let hash: String
}

/// The end of the chain: a row's number and its hash.
struct AuditHeadBody: Decodable, Equatable {
    let number: Int64
    let hash: String

    static let genesis = AuditHeadBody(number: 0, hash: String(repeating: "0", count: 64))

    var text: String { "\(number):\(hash)" }

    init(number: Int64, hash: String) {
        self.number = number
        self.hash = hash
    }

    /// Reads `17:<64 digits>`.
    init(argument text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int64(parts[0]), number >= 0, parts[1].count == 64,
            parts[1].allSatisfy({ $0.isHexDigit && !$0.isUppercase })
        else {
            throw CLIError(
                .usage, "\"\(text)\" is not a head of the audit log",
                nextStep: "Give what `pagewright audit verify` printed: a number, a colon and 64 digits.")
        }
        self.init(number: number, hash: String(parts[1]))
    }
}

/// Computes the chain again from what the API says, without trusting the coordinator's own check. The rule is in
/// docs/audit.md.
struct AuditChain {
    private(set) var head = AuditHeadBody.genesis

    /// Goes one row on; says what is wrong when that cannot be done.
    mutating func check(_ entry: AuditEntryBody) -> String? {
        guard entry.number == head.number + 1 else { return "row \(head.number + 1) is missing" }
        guard entry.previousHash == head.hash else {
            return "row \(entry.number) does not follow the row before it"
        }
        guard Self.hash(of: entry) == entry.hash else { return "row \(entry.number) was changed" }
        head = AuditHeadBody(number: entry.number, hash: entry.hash)
        return nil
    }

    static func hash(of entry: AuditEntryBody) -> String {
        var fields = [
            "pagewright-audit-1", entry.previousHash, String(entry.number), entry.id, entry.at, entry.actor,
            entry.action, entry.subject, entry.siteId ?? "", entry.requestId,
        ]
        for detail in entry.details { fields += [detail.name, detail.value] }
        let text = fields.map { "\($0.utf8.count):\($0)\n" }.joined()
        return SHA256.hash(data: Data(text.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }
}
