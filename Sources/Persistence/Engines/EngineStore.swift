package import Database
package import Domain

/// The rows of what admins decided about engines.
package struct EngineStore: Sendable {
    package init() {}

    package func list(in transaction: any SQLTransaction) async throws -> [EngineSetting] {
        try await transaction.query("SELECT * FROM engine_setting ORDER BY engine").map(Self.setting)
    }

    package func find(_ engine: EngineName, in transaction: any SQLTransaction) async throws -> EngineSetting? {
        try await transaction.answer(find(engine))
    }

    package func find(_ engine: EngineName) -> SQLQuery<EngineSetting?> {
        SQLQuery("SELECT * FROM engine_setting WHERE engine = $1", [.text(engine.rawValue)]) {
            try $0.first.map(Self.setting)
        }
    }

    /// The key as it was sealed; `nil` when there is none.
    package func sealedKey(of engine: EngineName, in transaction: any SQLTransaction) async throws -> String? {
        try await transaction.query(
            "SELECT sealed_key FROM engine_setting WHERE engine = $1", [.text(engine.rawValue)]
        ).first?.optionalText("sealed_key")
    }

    /// - Parameter sealedKey: takes the place of the one before; `nil` takes it away.
    package func save(
        _ setting: EngineSetting, sealedKey: String?, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO engine_setting (engine, enabled, provider, base_url, small_model, large_model,
                answer_timeout_ms, time_limit_ms, input_price, cached_price, output_price, sealed_key, key_hint,
                updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT (engine) DO UPDATE SET enabled = $2, provider = $3, base_url = $4, small_model = $5,
                large_model = $6, answer_timeout_ms = $7, time_limit_ms = $8, input_price = $9, cached_price = $10,
                output_price = $11, sealed_key = $12, key_hint = $13, updated_at = $14
            """,
            [
                .text(setting.engine.rawValue), SQLValue(setting.isEnabled), .text(setting.provider.rawValue),
                .text(setting.baseURL), SQLValue(setting.smallModel), .text(setting.largeModel),
                .integer(setting.answerTimeout.wholeMilliseconds), .integer(setting.timeLimit.wholeMilliseconds),
                SQLValue(setting.prices.uncachedInput), SQLValue(setting.prices.cachedInput),
                SQLValue(setting.prices.output), SQLValue(sealedKey), SQLValue(setting.keyHint),
                SQLValue(setting.updatedAt),
            ])
    }

    private static func setting(_ row: SQLRow) throws -> EngineSetting {
        EngineSetting(
            engine: try row.word("engine"), isEnabled: try row.boolean("enabled"), provider: try row.word("provider"),
            baseURL: try row.text("base_url"), smallModel: try row.optionalText("small_model"),
            largeModel: try row.text("large_model"),
            answerTimeout: .milliseconds(try row.integer("answer_timeout_ms")),
            timeLimit: .milliseconds(try row.integer("time_limit_ms")),
            prices: TokenPrices(
                uncachedInput: Int(try row.integer("input_price")), cachedInput: Int(try row.integer("cached_price")),
                output: Int(try row.integer("output_price"))),
            keyHint: try row.optionalText("key_hint"), updatedAt: try row.timestamp("updated_at"))
    }
}
