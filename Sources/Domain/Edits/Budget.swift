/// How much AI work may cost within one scope. What is `nil` has no limit.
package struct Budget: Sendable, Equatable {
    package enum Scope: String, Sendable, CaseIterable {
        /// One edit with all of its attempts, successful or not.
        case edit
        /// One site within the last 30 days.
        case site
        /// All sites of one owner within the last 24 hours.
        case day

        /// How far back is looked; `nil` for an edit, which is looked at as a whole.
        package var window: Duration? {
            switch self {
            case .edit: nil
            case .site: .seconds(30 * 86_400)
            case .day: .seconds(86_400)
            }
        }

        fileprivate var inWords: String {
            switch self {
            case .edit: "for one edit"
            case .site: "for this site within 30 days"
            case .day: "for your sites within 24 hours"
            }
        }
    }

    package let scope: Scope
    package var tokens: Int?
    /// In millionths of the installation's currency.
    package var money: Int?
    package var minutes: Int?

    package init(scope: Scope, tokens: Int? = nil, money: Int? = nil, minutes: Int? = nil) {
        self.scope = scope
        self.tokens = tokens
        self.money = money
        self.minutes = minutes
    }

    package var isUnlimited: Bool { tokens == nil && money == nil && minutes == nil }

    /// Which limit `spent` has reached, as a sentence without its end; `nil` while there is something left.
    package func exhausted(by spent: Spending) -> String? {
        if let tokens, spent.tokens >= tokens {
            return "the budget of \(tokens) tokens \(scope.inWords) is used up (\(spent.tokens) used)"
        }
        if let money, spent.money >= money {
            return "the budget of \(Self.amount(money)) \(scope.inWords) is used up (\(Self.amount(spent.money)) used)"
        }
        if let minutes, spent.seconds >= minutes * 60 {
            return "the budget of \(minutes) minutes \(scope.inWords) is used up"
        }
        return nil
    }

    /// What may still be used of tokens; `nil` is without a limit.
    package func tokensLeft(after spent: Spending) -> Int? { tokens.map { max(0, $0 - spent.tokens) } }

    /// What may still be used of time.
    package func timeLeft(after spent: Spending) -> Duration? {
        minutes.map { .seconds(max(0, $0 * 60 - spent.seconds)) }
    }

    /// Refuses new work when it is used up.
    package func require(_ spent: Spending) throws(ServiceError) {
        guard let sentence = exhausted(by: spent) else { return }
        throw ServiceError(
            .quotaExceeded, sentence, field: "engine", rule: "budget-\(scope.rawValue)",
            nextStep: scope == .day
                ? "Wait until tomorrow, use the engine builtin, or ask an admin to raise it."
                : "Use the engine builtin, or ask an admin to raise it.",
            quota: quota(spent))
    }

    /// The limit that `spent` has reached, to be counted; money is in whole units of the currency.
    private func quota(_ spent: Spending) -> Quota? {
        if let tokens, spent.tokens >= tokens {
            return Quota(used: spent.tokens, allowed: tokens, unit: "tokens \(scope.inWords)")
        }
        if let money, spent.money >= money { return nil }
        return minutes.map { Quota(used: spent.seconds / 60, allowed: $0, unit: "minutes \(scope.inWords)") }
    }

    /// Millionths as a number with two places: `1.20`.
    private static func amount(_ millionths: Int) -> String {
        let cents = millionths / 10_000
        let rest = cents % 100
        return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// What was used of models, added up.
package struct Spending: Sendable, Equatable {
    /// Input and output, cached input among them.
    package var tokens: Int
    /// In millionths of the installation's currency.
    package var money: Int
    package var seconds: Int
    package static let zero = Spending(tokens: 0, money: 0, seconds: 0)

    package init(tokens: Int, money: Int, seconds: Int) {
        self.tokens = tokens
        self.money = money
        self.seconds = seconds
    }
}
