package import Database
package import Domain

/// What checks read from files, kept so that an unchanged file is never parsed twice.
package struct FileFactsStore: Sendable {
    package init() {}

    package func find(
        _ digests: [ContentDigest], kind: String, in transaction: any SQLTransaction
    ) async throws -> [ContentDigest: [UInt8]] {
        var found: [ContentDigest: [UInt8]] = [:]
        // Few parameters a statement: both databases have limits.
        for start in stride(from: 0, to: digests.count, by: 200) {
            let slice = digests[start..<min(start + 200, digests.count)]
            let places = (2..<(2 + slice.count)).map { "$\($0)" }.joined(separator: ", ")
            let rows = try await transaction.query(
                "SELECT digest, facts FROM file_facts WHERE kind = $1 AND digest IN (\(places))",
                [.text(kind)] + slice.map { SQLValue($0) })
            for row in rows { found[try row.digest("digest")] = try row.blob("facts") }
        }
        return found
    }

    package func insert(
        _ facts: [(digest: ContentDigest, facts: [UInt8])], kind: String, in transaction: any SQLTransaction
    ) async throws {
        for entry in facts {
            try await transaction.execute(
                "INSERT INTO file_facts (digest, kind, facts) VALUES ($1, $2, $3) ON CONFLICT (digest, kind) DO NOTHING",
                [SQLValue(entry.digest), .text(kind), .blob(entry.facts)])
        }
    }
}
