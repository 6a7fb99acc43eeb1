import Domain

/// What an admin changes of an engine; what is `nil` stays.
package struct EngineChange: Sendable {
    package var isEnabled: Bool?
    package var provider: String?
    package var baseURL: String?
    package var largeModel: String?
    /// Empty text takes it away: then the large one does everything.
    package var smallModel: String?
    /// Empty text takes it away.
    package var key: String?
    package var answerTimeoutInSeconds: Int?
    package var timeLimitInSeconds: Int?
    /// In millionths of the currency for a million tokens.
    package var inputPrice: Int?
    package var cachedPrice: Int?
    package var outputPrice: Int?

    package init() {}

    /// The setting with the change; the first one needs a model at least. The key is not part of it.
    func applied(to current: EngineSetting?, of engine: EngineName, at now: Timestamp) throws -> EngineSetting {
        let provider = try provider.map { word in
            guard let provider = ModelEndpoint.Provider(rawValue: word), engine.providers.contains(provider) else {
                throw ServiceError(
                    .invalidArgument, "the engine \(engine.rawValue) cannot ask \"\(word.prefix(40))\"",
                    field: "provider", rule: "provider-known",
                    nextStep: "Use one of: " + engine.providers.map(\.rawValue).joined(separator: ", ") + ".")
            }
            return provider
        }
        guard let usual = engine.providers.first else {
            throw ServiceError(
                .invalidArgument, "the engine \(engine.rawValue) asks no model", field: "engine",
                rule: "engine-without-model")
        }
        var setting: EngineSetting
        if let current {
            setting = current
            if let provider, provider != current.provider {
                setting.provider = provider
                if baseURL == nil { setting.baseURL = provider.usualBaseURL }
            }
        } else {
            guard largeModel != nil else {
                throw ServiceError(
                    .invalidArgument, "the engine \(engine.rawValue) needs a model", field: "large_model",
                    rule: "model-name", nextStep: "Name one as its provider calls it.")
            }
            setting = EngineSetting(
                engine: engine, isEnabled: true, provider: provider ?? usual,
                baseURL: (provider ?? usual).usualBaseURL, smallModel: nil, largeModel: "", updatedAt: now)
        }
        if let isEnabled { setting.isEnabled = isEnabled }
        if let baseURL { setting.baseURL = try ModelEndpoint.checkedBaseURL(baseURL) }
        if let largeModel { setting.largeModel = try ModelAccess.checkedModel(largeModel, field: "large_model") }
        if let smallModel {
            setting.smallModel =
                smallModel.isEmpty ? nil : try ModelAccess.checkedModel(smallModel, field: "small_model")
        }
        if let answerTimeoutInSeconds {
            setting.answerTimeout = .seconds(
                try Self.checked(answerTimeoutInSeconds, "answer_timeout_seconds", 5...1800))
        }
        if let timeLimitInSeconds {
            setting.timeLimit = .seconds(try Self.checked(timeLimitInSeconds, "time_limit_seconds", 10...7200))
        }
        let prices = 0...1_000_000_000_000
        if let inputPrice { setting.prices.uncachedInput = try Self.checked(inputPrice, "input_price", prices) }
        if let cachedPrice { setting.prices.cachedInput = try Self.checked(cachedPrice, "cached_price", prices) }
        if let outputPrice { setting.prices.output = try Self.checked(outputPrice, "output_price", prices) }
        setting.updatedAt = now
        return setting
    }

    private static func checked(_ value: Int, _ field: String, _ range: ClosedRange<Int>) throws -> Int {
        guard range.contains(value) else {
            throw ServiceError(
                .invalidArgument, "\(field) must be from \(range.lowerBound) to \(range.upperBound)", field: field,
                rule: "range")
        }
        return value
    }

    /// The names of what is changed, for the audit log; never a value of the key.
    var changedNames: String {
        let named: [(String, Bool)] = [
            ("enabled", isEnabled != nil), ("provider", provider != nil), ("base_url", baseURL != nil),
            ("large_model", largeModel != nil), ("small_model", smallModel != nil), ("key", key != nil),
            ("answer_timeout_seconds", answerTimeoutInSeconds != nil),
            ("time_limit_seconds", timeLimitInSeconds != nil), ("input_price", inputPrice != nil),
            ("cached_price", cachedPrice != nil), ("output_price", outputPrice != nil),
        ]
        return named.filter(\.1).map(\.0).joined(separator: ",")
    }
}
