/// What one attempt used of a model.
package struct LedgerEntry: Sendable, Equatable {
    package let job: JobID
    package let attempt: Int
    package let site: SiteID
    package let owner: UserID
    package let engine: EngineName
    /// Empty when the worker chose it.
    package let model: String
    package let usage: TokenUsage
    /// In millionths of the installation's currency, at the prices of that time.
    package let money: Int
    /// How long the worker was busy with it.
    package let seconds: Int
    /// Whether it counts against the budgets of the site and of the day: only what came to a version does. A failure,
    /// whoever's, is not paid for by the user.
    package let isCharged: Bool
    /// Whether the answers came from the cache or from a transcript.
    package let isFromCache: Bool
    package let at: Timestamp

    package init(
        job: JobID, attempt: Int, site: SiteID, owner: UserID, engine: EngineName, model: String, usage: TokenUsage,
        prices: TokenPrices, seconds: Int, isCharged: Bool, isFromCache: Bool, at: Timestamp
    ) {
        self.job = job
        self.attempt = attempt
        self.site = site
        self.owner = owner
        self.engine = engine
        self.model = model
        self.usage = isFromCache ? .zero : usage
        money = isFromCache ? 0 : prices.cost(of: usage)
        self.seconds = max(0, seconds)
        self.isCharged = isCharged
        self.isFromCache = isFromCache
        self.at = at
    }

    /// As it was written down.
    package init(
        job: JobID, attempt: Int, site: SiteID, owner: UserID, engine: EngineName, model: String, usage: TokenUsage,
        money: Int, seconds: Int, isCharged: Bool, isFromCache: Bool, at: Timestamp
    ) {
        self.job = job
        self.attempt = attempt
        self.site = site
        self.owner = owner
        self.engine = engine
        self.model = model
        self.usage = usage
        self.money = money
        self.seconds = seconds
        self.isCharged = isCharged
        self.isFromCache = isFromCache
        self.at = at
    }
}
