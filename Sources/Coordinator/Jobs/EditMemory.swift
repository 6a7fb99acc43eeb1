import Database
import Domain
import Persistence

/// Remembers what was said before an edit.
struct EditMemory: Sendable {
    let stores: Stores

    /// What the engine is told.
    func task(for edit: Edit, in transaction: any SQLTransaction) async throws -> EditInstruction {
        // The built-in engine has no use for more than the request.
        if case .builtin = edit.engine { return EditInstruction(prompt: edit.prompt, mode: edit.mode) }
        var plan: String?
        if let id = edit.plan, let planned = try await stores.edits.find(id, of: edit.site, in: transaction) {
            plan = try await stores.jobs.find(planned.job, in: transaction)?.summary
        }
        return EditInstruction(
            prompt: edit.prompt, mode: edit.mode, turns: try await turns(before: edit, in: transaction), plan: plan,
            variant: edit.variant)
    }

    /// The oldest first. Of several tries at one request only the one that became the preview is a turn of the talk, and
    /// the tries beside this edit are none.
    private func turns(before edit: Edit, in transaction: any SQLTransaction) async throws -> [ConversationTurn] {
        guard let conversation = edit.conversation else { return [] }
        let earlier = try await stores.edits.list(
            of: conversation, before: edit.id, page: try PageRequest(limit: EditInstruction.turnLimit * 2),
            in: transaction
        ).items
        var turns: [ConversationTurn] = []
        var groups: Set<EditID> = []
        if let own = edit.variant?.group { groups.insert(own) }
        for edit in earlier where turns.count < EditInstruction.turnLimit {
            if let variant = edit.variant, !groups.insert(variant.group).inserted { continue }
            guard let record = try await stores.jobs.find(edit.job, in: transaction) else { continue }
            turns.append(
                ConversationTurn(
                    prompt: edit.prompt.text, answer: record.summary, outcome: Self.outcome(of: record.job)))
        }
        return turns.reversed()
    }

    private static func outcome(of job: Job) -> ConversationTurn.Outcome {
        switch job.state {
        case .queued, .ready, .leased: .open
        case .succeeded(let version): .version(version)
        case .answered: .plan
        case .failed(let failure), .dead(let failure): .failed(failure.message)
        case .cancelled: .cancelled
        }
    }
}
