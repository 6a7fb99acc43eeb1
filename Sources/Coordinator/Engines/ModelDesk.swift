import Artifacts
import Database
import Domain
import Persistence

/// Decides, when a job is granted, what its attempt may ask of a model: which model, with what credential and how much;
/// or that it follows a transcript and asks nobody.
struct ModelDesk: Sendable {
    /// What goes into an offer.
    struct Assignment: Sendable {
        /// What the engine is told.
        var prompt: String
        var model: ModelAccess?
        var replay: [UInt8] = []
        var limits = JobOffer.Limits()
    }

    let stores: Stores
    let sealer: KeySealer

    private var answers: KeptAnswers { KeptAnswers(stores: stores) }

    /// Notes in `record` what was decided.
    func assignment(
        for edit: Edit, of record: inout JobRecord, base: ContentDigest, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> Assignment {
        let prompt = try await answers.instruction(for: edit, in: transaction)
        var assignment = Assignment(prompt: prompt)
        record.model = ""
        record.isFromCache = false
        guard edit.engine.asksModel else { return assignment }
        let setting = try await stores.engines.find(edit.engine, in: transaction)
        if let original = edit.replayOf {
            let model = try await stores.jobs.find(original, in: transaction)?.model ?? ""
            assignment.replay = try await stores.transcripts.find(original, in: transaction) ?? []
            assignment.model = Self.silentAccess(model)
            record.model = model
            record.isFromCache = true
            return assignment
        }
        // Without a setting the worker may have one of its own; whether it has, it says itself.
        guard let setting, setting.isEnabled else { return assignment }
        let model = setting.model(for: edit.prompt)
        record.model = model
        // The first attempt only: when the kept answer does not fit any more, the next one asks.
        if edit.engine == .model, record.job.kind == .edit, !edit.isFresh, record.job.attempt == 0 {
            let key = try await answers.key(of: edit, model: model, base: base, in: transaction)
            if let source = try await stores.cache.find(key, in: transaction),
                let transcript = try await stores.transcripts.find(source, in: transaction)
            {
                try await stores.cache.touch(key, at: now, in: transaction)
                assignment.replay = transcript
                assignment.model = Self.silentAccess(model)
                record.isFromCache = true
                return assignment
            }
        }
        let budget = try await stores.budgets.find(.edit, in: transaction)
        let spent = try await stores.ledger.spending(of: record.job.id, in: transaction)
        let endpoint: ModelEndpoint
        do {
            endpoint = try await self.endpoint(of: setting, in: transaction)
        } catch let error as ServiceError where error.rule == KeySealer.elsewhereRule {
            // The worker says that no model is configured; the job ends instead of waiting for ever.
            return assignment
        }
        assignment.model = ModelAccess(
            endpoint: endpoint, model: model,
            tokenBudget: budget.tokensLeft(after: spent).map { max(1, $0) }, answerTimeout: setting.answerTimeout)
        let left = budget.timeLeft(after: spent) ?? setting.timeLimit
        assignment.limits.wallTime = max(.seconds(10), min(setting.timeLimit, left))
        return assignment
    }

    /// With the opened key; an engine without one gets an empty credential, as for a server of one's own.
    func endpoint(
        of setting: EngineSetting, in transaction: any SQLTransaction
    ) async throws -> ModelEndpoint {
        let sealed = try await stores.engines.sealedKey(of: setting.engine, in: transaction)
        let key = try sealed.map { try sealer.open($0, for: setting.engine) }
        return ModelEndpoint(
            provider: setting.provider, baseURL: setting.baseURL,
            authorizationName: setting.provider.authorizationName,
            authorizationValue: key.map { setting.provider.authorizationValue(key: $0) } ?? "")
    }

    /// For a run that asks nobody: a name for the model and no way to it.
    private static func silentAccess(_ model: String) -> ModelAccess? {
        guard !model.isEmpty else { return nil }
        let provider = ModelEndpoint.Provider.openAIResponses
        return ModelAccess(
            endpoint: ModelEndpoint(
                provider: provider, baseURL: "http://localhost", authorizationName: provider.authorizationName,
                authorizationValue: ""), model: model)
    }
}
