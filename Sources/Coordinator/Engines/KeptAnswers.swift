import Artifacts
import Database
import Domain
import Persistence

/// What an engine is told, and under what the answers of its model are kept.
struct KeptAnswers: Sendable {
    let stores: Stores

    /// What an engine is told of an edit: the request, and what was said before it. A replay is told what the edit was
    /// that it replays.
    func instruction(for edit: Edit, in transaction: any SQLTransaction) async throws -> String {
        var edit = edit
        if let original = edit.replayOf, let first = try await stores.edits.find(job: original, in: transaction) {
            edit = first
        }
        return try await EditMemory(stores: stores).task(for: edit, in: transaction).text(for: edit.engine)
    }

    /// What the answer to an edit is kept under.
    func key(
        of edit: Edit, model: String, base: ContentDigest, in transaction: any SQLTransaction
    ) async throws -> ContentDigest {
        let key = CacheKey(
            owner: try await stores.sites.find(edit.site, in: transaction)?.owner ?? edit.author, engine: edit.engine,
            model: model, instructions: CacheKey.instructions,
            prompt: try await instruction(for: edit, in: transaction), context: base)
        return ContentDigest(hashing: key.canonicalText)
    }
}
