import ArgumentParser

struct BudgetBody: Decodable {
    let scope: String
    let tokens: Int?
    let money: Int?
    let minutes: Int?

    static func text(_ value: Int?) -> String { value.map { "\($0)" } ?? "no limit" }

    /// Millionths of the currency with two places.
    static func amount(_ millionths: Int?) -> String {
        guard let millionths else { return "no limit" }
        let cents = millionths / 10_000
        return "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
    }
}

struct BudgetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budgets", abstract: "See and set what AI work may cost.",
        discussion: "Example: pagewright budgets show bakery",
        subcommands: [BudgetsListCommand.self, BudgetsSetCommand.self, BudgetsShowCommand.self],
        defaultSubcommand: BudgetsListCommand.self)
}

struct BudgetsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the limits (administrators).",
        discussion: "Example: pagewright budgets list --json")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/admin/budgets")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("FOR", "TOKENS", "MONEY", "MINUTES")
            for budget in try answer.decode(ListBody<BudgetBody>.self).items {
                table.add(
                    budget.scope, BudgetBody.text(budget.tokens), BudgetBody.amount(budget.money),
                    BudgetBody.text(budget.minutes))
            }
            table.print(empty: "There is no budget.")
        }
    }
}

struct BudgetsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set the limits of one scope; what is not given has none (administrators).",
        discussion: """
            The scopes: edit (one edit with all its attempts), site (a site within 30 days), day (an owner's sites within
            24 hours). Failed edits do not count against site and day.

            Example: pagewright budgets set day --tokens 2000000 --minutes 60
            """)

    struct Request: Encodable {
        let tokens: Int?
        let money: Int?
        let minutes: Int?
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "edit, site or day.") var scope: String
    @Option(help: "Input and output together.") var tokens: Int?
    @Option(help: "In millionths of the currency.") var money: Int?
    @Option(help: "Of work on a worker.") var minutes: Int?

    func run() async throws {
        try await connection.withClient { client in
            let request = Request(tokens: tokens, money: money, minutes: minutes)
            let answer = try await client.send(.put, "/admin/budgets/\(scope)", body: .json(request))
            guard !connection.json else { return Console.print(json: answer.body) }
            let budget = try answer.decode(BudgetBody.self)
            Console.print(
                "\(budget.scope): tokens \(BudgetBody.text(budget.tokens)), money \(BudgetBody.amount(budget.money)), "
                    + "minutes \(BudgetBody.text(budget.minutes)).")
        }
    }
}

struct BudgetsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is used of the budgets of a site and of the day.",
        discussion: "Example: pagewright budgets show bakery")

    struct Use: Decodable {
        let budget: BudgetBody
        let spentTokens: Int
        let spentMoney: Int
        let spentSeconds: Int
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/sites/\(site)/budget")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("FOR", "TOKENS", "OF", "MONEY", "OF", "MINUTES", "OF")
            for use in try answer.decode(ListBody<Use>.self).items {
                table.add(
                    use.budget.scope, "\(use.spentTokens)", BudgetBody.text(use.budget.tokens),
                    BudgetBody.amount(use.spentMoney), BudgetBody.amount(use.budget.money),
                    "\(use.spentSeconds / 60)", BudgetBody.text(use.budget.minutes))
            }
            table.print(empty: "There is no budget.")
        }
    }
}
