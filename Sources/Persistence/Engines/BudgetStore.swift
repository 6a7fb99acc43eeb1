package import Database
package import Domain

/// The rows of budgets. A scope without a row has no limit.
package struct BudgetStore: Sendable {
    package init() {}

    package func find(_ scope: Budget.Scope, in transaction: any SQLTransaction) async throws -> Budget {
        let rows = try await transaction.query("SELECT * FROM budget WHERE scope = $1", [.text(scope.rawValue)])
        guard let row = rows.first else { return Budget(scope: scope) }
        return Budget(
            scope: scope, tokens: try row.optionalInteger("tokens").map { Int($0) },
            money: try row.optionalInteger("money").map { Int($0) },
            minutes: try row.optionalInteger("minutes").map { Int($0) })
    }

    package func save(_ budget: Budget, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO budget (scope, tokens, money, minutes) VALUES ($1, $2, $3, $4)
            ON CONFLICT (scope) DO UPDATE SET tokens = $2, money = $3, minutes = $4
            """,
            [
                .text(budget.scope.rawValue), SQLValue(budget.tokens), SQLValue(budget.money), SQLValue(budget.minutes),
            ])
    }
}
