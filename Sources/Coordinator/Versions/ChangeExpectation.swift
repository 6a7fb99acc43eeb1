import Database
import Domain
import Persistence
import Validation

/// What an edit is held against: the words of its request, what the owner locked, and what the owner accepted.
struct ChangeExpectation: Sendable {
    let request: RequestWords
    let locks: [PathPattern]
    var accepted: [FindingReference] = []

    /// Whoever lets a plan be carried out asked for what the plan says too.
    static func of(_ edit: Edit, stores: Stores, in transaction: any SQLTransaction) async throws -> ChangeExpectation {
        var text = edit.prompt.text
        if let plan = edit.plan, let planned = try await stores.edits.find(plan, of: edit.site, in: transaction),
            let record = try await stores.jobs.find(planned.job, in: transaction)
        {
            text += "\n" + planned.prompt.text + "\n" + record.summary
        }
        return ChangeExpectation(
            request: RequestWords(text), locks: try await stores.locks.list(of: edit.site, in: transaction))
    }

    func accepts(_ finding: Finding) -> Bool {
        ContentChecker.isAcceptable(finding) && accepted.contains { $0.names(finding) }
    }
}

/// A change of an edit that the checks refused: it can be looked at, and accepted.
struct RefusedChange: Error {
    let refusal: ServiceError
    let scope: ChangeScope
}
