package import Database
package import Domain
package import Logging
package import Persistence

/// One budget and what is used of it.
package struct BudgetView: Sendable {
    package let budget: Budget
    package let spent: Spending
}

/// Shows and sets budgets, shows what edits cost, and refuses edits for which nothing is left.
package struct BudgetService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let clock: any WallClock
    private let logger: Logger

    package init(database: any SQLDatabase, stores: Stores, clock: any WallClock, logger: Logger) {
        self.database = database
        self.stores = stores
        self.clock = clock
        self.logger = logger
    }

    /// The limits of the installation.
    package func list(for principal: Principal) async throws -> [Budget] {
        try principal.requireAdmin()
        return try await database.read { transaction in
            var budgets: [Budget] = []
            for scope in Budget.Scope.allCases { budgets.append(try await stores.budgets.find(scope, in: transaction)) }
            return budgets
        }
    }

    /// Sets all limits of one scope; what is `nil` has none.
    package func set(
        _ scope: String, tokens: Int?, money: Int?, minutes: Int?, for principal: Principal
    ) async throws -> Budget {
        try principal.requireAdmin()
        guard let scope = Budget.Scope(rawValue: scope) else {
            throw ServiceError(
                .notFound, "there is no budget \"\(scope.prefix(40))\"", field: "scope",
                nextStep: "Use one of: " + Budget.Scope.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        for (value, field) in [(tokens, "tokens"), (money, "money"), (minutes, "minutes")] {
            guard let value, !(0...1_000_000_000_000).contains(value) else { continue }
            throw ServiceError(.invalidArgument, "\(field) is out of its range", field: field, rule: "range")
        }
        let budget = Budget(scope: scope, tokens: tokens, money: money, minutes: minutes)
        let now = clock.now()
        try await database.withTransaction { transaction in
            try await stores.budgets.save(budget, in: transaction)
            try await AuditTrail(stores: stores).record(
                .budgetSet, on: scope.rawValue, for: principal,
                [
                    "tokens": tokens.map { "\($0)" } ?? "-", "money": money.map { "\($0)" } ?? "-",
                    "minutes": minutes.map { "\($0)" } ?? "-",
                ], at: now, in: transaction)
        }
        logger.notice("Set a budget", metadata: ["scope": "\(scope.rawValue)", "user.id": "\(principal.user)"])
        return budget
    }

    /// What is used of the budgets that an edit of this site counts against.
    package func show(site reference: String, for principal: Principal) async throws -> [BudgetView] {
        let now = clock.now()
        return try await database.read { transaction in
            let site = try await SiteAccess(stores: stores).find(reference, for: principal, in: transaction)
            return try await BudgetGate(stores: stores).views(of: site, at: now, in: transaction)
        }
    }

    /// What each attempt of a job used.
    package func usage(of id: JobID, for principal: Principal) async throws -> [LedgerEntry] {
        try await database.read { transaction in
            guard let record = try await stores.jobs.find(id, in: transaction),
                let site = try await stores.sites.find(record.job.site, in: transaction),
                site.owner == principal.user || principal.isAdmin
            else { throw ServiceError(.notFound, "there is no job \(id)", field: "job") }
            return try await stores.ledger.list(of: id, in: transaction)
        }
    }
}

/// Lets an edit in when the budgets of its site and of the day have something left.
struct BudgetGate: Sendable {
    let stores: Stores

    func admit(
        _ engine: EngineName, to site: Site, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        guard engine.asksModel else { return }
        for view in try await views(of: site, at: now, in: transaction) { try view.budget.require(view.spent) }
    }

    func views(
        of site: Site, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [BudgetView] {
        var views: [BudgetView] = []
        for scope in [Budget.Scope.site, .day] {
            let budget = try await stores.budgets.find(scope, in: transaction)
            guard let window = scope.window else { continue }
            let since = Timestamp(
                millisecondsSinceEpoch: now.millisecondsSinceEpoch - window.wholeMilliseconds)
            let spent =
                scope == .site
                ? try await stores.ledger.spending(of: site.id, since: since, in: transaction)
                : try await stores.ledger.spending(of: site.owner, since: since, in: transaction)
            views.append(BudgetView(budget: budget, spent: spent))
        }
        return views
    }
}
