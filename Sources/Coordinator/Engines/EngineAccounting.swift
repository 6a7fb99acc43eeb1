import Database
import Domain
import Persistence

/// What the end of an attempt means for the ledger, the budgets, the cache, and for another attempt.
struct EngineAccounting: Sendable {
    let stores: Stores

    private var answers: KeptAnswers { KeptAnswers(stores: stores) }

    /// What is to become of a failure. One that comes twice, or that used up what an edit may use, is final.
    func judge(
        _ failure: JobFailure, of record: inout JobRecord, edit: Edit?, usage: TokenUsage, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> JobFailure {
        guard let edit else { return failure }
        if record.isFromCache, edit.replayOf == nil, failure.kind == .task {
            // The kept answer does not fit any more; the next attempt asks the model.
            if let base = try await stores.versions.find(edit.base, of: edit.site, in: transaction)?.digest {
                try await stores.cache.remove(
                    try await answers.key(of: edit, model: record.model, base: base, in: transaction), in: transaction)
            }
            return JobFailure(
                kind: .infrastructure, code: "cache-stale",
                message: "The kept answer did not fit any more; the model is asked.")
        }
        guard failure.kind == .infrastructure else { return failure }
        let budget = try await stores.budgets.find(.edit, in: transaction)
        if edit.engine.asksModel, !budget.isUnlimited {
            var spent = try await stores.ledger.spending(of: record.job.id, in: transaction)
            let entry = try await entry(record, edit, usage: usage, isCharged: false, at: now, in: transaction)
            spent.tokens += entry.usage.uncachedInput + entry.usage.cachedInput + entry.usage.output
            spent.money += entry.money
            spent.seconds += entry.seconds
            if let sentence = budget.exhausted(by: spent) {
                return JobFailure(
                    kind: .task, code: "budget-edit",
                    message: "It was not tried again, because \(sentence). The last error: \(failure.message)")
            }
        }
        guard failure.isLoopWhenRepeated else { return failure }
        var breaker = LoopBreaker(seen: record.failureMarks)
        if breaker.notes(failure.code + " " + failure.message) { return failure.asLoop }
        record.failureMarks.append(failure.mark)
        return failure
    }

    /// Writes down what the attempt used. The grant is still in `before`; `record` is as it is after.
    func close(
        _ record: JobRecord, before: JobRecord, edit: Edit?, usage: TokenUsage, transcript: [UInt8],
        at now: Timestamp, in transaction: any SQLTransaction
    ) async throws {
        guard let edit, edit.engine.asksModel else { return }
        var isCharged = false
        switch record.job.state {
        case .succeeded, .answered: isCharged = true
        case .queued, .ready, .leased, .failed, .cancelled, .dead: break
        }
        try await stores.ledger.insert(
            try await entry(before, edit, usage: usage, isCharged: isCharged, at: now, in: transaction),
            in: transaction)
        guard isCharged, edit.replayOf == nil, !before.isFromCache, !transcript.isEmpty else { return }
        try await stores.transcripts.save(transcript, of: record.job.id, at: now, in: transaction)
        try await stores.transcripts.trim(in: transaction)
        guard edit.engine == .model, record.job.kind == .edit, !record.model.isEmpty,
            let base = try await stores.versions.find(edit.base, of: edit.site, in: transaction)?.digest
        else { return }
        let key = try await answers.key(of: edit, model: record.model, base: base, in: transaction)
        try await stores.cache.save(key, job: record.job.id, at: now, in: transaction)
    }

    private func entry(
        _ record: JobRecord, _ edit: Edit, usage: TokenUsage, isCharged: Bool, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> LedgerEntry {
        let prices = try await stores.engines.find(edit.engine, in: transaction)?.prices ?? .unknown
        let began = record.job.grant?.acceptedAt ?? now
        let owner = try await stores.sites.find(edit.site, in: transaction)?.owner ?? edit.author
        return LedgerEntry(
            job: record.job.id, attempt: record.job.attempt, site: edit.site, owner: owner, engine: edit.engine,
            model: record.model, usage: usage, prices: prices, seconds: Int((now - began).components.seconds),
            isCharged: isCharged, isFromCache: record.isFromCache, at: now)
    }
}
