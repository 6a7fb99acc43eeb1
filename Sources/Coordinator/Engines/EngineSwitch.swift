import Database
import Domain
import Persistence

/// Keeps work away from engines that an admin switched off. A worker may have a key of its own for such an engine, so it
/// is not enough to give it none.
struct EngineSwitch: Sendable {
    let stores: Stores

    /// Throws `failedPrecondition`. An engine without a setting is the workers' own affair.
    func requireEnabled(_ engine: EngineName, in transaction: any SQLTransaction) async throws {
        try Self.requireEnabled(engine, try await stores.engines.find(engine, in: transaction))
    }

    /// The same for a caller who has the setting.
    static func requireEnabled(_ engine: EngineName, _ setting: EngineSetting?) throws {
        guard let setting, !setting.isEnabled else { return }
        throw ServiceError(
            .failedPrecondition, "the engine \(engine.rawValue) is switched off", field: "engine",
            rule: "engine-disabled", nextStep: "Choose another engine, or ask an admin to switch it on.")
    }
}
