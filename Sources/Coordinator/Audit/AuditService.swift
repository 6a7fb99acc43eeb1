package import Database
package import Domain
package import Persistence

/// Seals, shows and verifies the audit log.
///
/// An effect's transaction adds its row without a number, so that effects do not queue for the end of one chain. Within
/// a second ``AuditSealer`` numbers the new rows and chains their hashes. Until then a row is as safe as its
/// transaction; from then on no row before it can be changed, removed or put in without the chain showing it.
package struct AuditService: Sendable {
    /// What a whole and unbroken log amounts to.
    package struct Verified: Sendable, Equatable {
        package let head: AuditHead
    }

    /// How many rows one transaction seals.
    private static let batch = 500
    /// What sealers wait for each other by.
    private static let chain = "audit-chain"

    let database: any SQLDatabase
    let stores: Stores
    private var store: AuditStore { stores.audit }

    package init(database: any SQLDatabase, stores: Stores) {
        self.database = database
        self.stores = stores
    }

    /// Chains what is not in the chain yet, `limit` rows at most; returns how many. Safe for several at once: the end
    /// of the chain is a row that each of them locks.
    @discardableResult
    package func seal(limit: Int = 10_000) async throws -> Int {
        var total = 0
        while total < limit {
            // Most of the time there is nothing, and then nothing is locked or written.
            let isNeeded = try await database.read { try await !store.unsealed(limit: 1, in: $0).isEmpty }
            guard isNeeded else { return total }
            // Rows without a number belong to nobody but a sealer: effects go on meanwhile.
            let count = try await database.withTransaction(on: .only([Self.chain])) { transaction in
                var chain = AuditChain(after: try await store.lockHead(in: transaction))
                let sealed = try await store.unsealed(limit: Self.batch, in: transaction).map { chain.append($0) }
                try await store.seal(sealed, head: chain.head, in: transaction)
                return sealed.count
            }
            total += count
        }
        return total
    }

    /// Rows of the log; what happened until now is among them.
    package func list(
        _ filter: AuditStore.Filter, oldestFirst: Bool, page: PageRequest, for principal: Principal
    ) async throws -> Page<SealedAuditEntry> {
        try principal.requireAdmin()
        try await seal()
        return try await database.read {
            try await store.list(filter, oldestFirst: oldestFirst, page: page, in: $0)
        }
    }

    /// The end of the chain now: remember it, and a log that was cut off is found out.
    package func head(for principal: Principal) async throws -> AuditHead {
        try principal.requireAdmin()
        try await seal()
        return try await database.read { try await store.head(in: $0) }
    }

    /// Computes the whole chain again. Throws ``AuditChain/Break`` with the first row that is not as it was written.
    ///
    /// - Parameter expected: A head that was printed before; without it rows that were cut off together with the
    ///   stored head are not missed.
    package func verify(expecting expected: AuditHead? = nil) async throws -> Verified {
        var chain = AuditChain()
        var cursor: String?
        repeat {
            let request = try PageRequest(cursor: cursor, limit: 200)
            let page = try await database.read {
                try await store.list(AuditStore.Filter(), oldestFirst: true, page: request, in: $0)
            }
            for sealed in page.items {
                try chain.check(sealed)
                if let expected, sealed.number == expected.number, sealed.hash != expected.hash {
                    throw AuditChain.Break(number: sealed.number, kind: .replaced)
                }
            }
            cursor = page.nextCursor
        } while cursor != nil
        let stored = try await database.read { try await store.head(in: $0) }
        if stored.number > chain.head.number {
            // Rows may have been sealed since the last page was read.
            let request = try PageRequest(cursor: String(chain.head.number), limit: 1)
            let next = try await database.read {
                try await store.list(AuditStore.Filter(), oldestFirst: true, page: request, in: $0)
            }
            if next.items.isEmpty { throw AuditChain.Break(number: chain.head.number + 1, kind: .truncated) }
        } else if stored != chain.head {
            throw AuditChain.Break(number: chain.head.number, kind: .replaced)
        }
        if let expected, expected.number > chain.head.number {
            throw AuditChain.Break(number: chain.head.number + 1, kind: .truncated)
        }
        return Verified(head: chain.head)
    }
}
