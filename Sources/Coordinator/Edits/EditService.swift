package import Database
package import Domain
import Faults
package import Logging
package import Persistence

/// Takes requests in words and makes jobs of them.
package struct EditService: Sendable {
    /// What an edit is to be, before it has a place in its site's line.
    private struct Draft: Sendable {
        var prompt: Prompt
        /// `nil` is the site's, or the usual one.
        var engine: EngineName?
        var baseVersion: Int?
        var mode = EditMode.change
        var conversation: ConversationID?
        var plan: EditID?
        var isFresh = false
    }

    let database: any SQLDatabase
    let stores: Stores
    let ready: ReadyJobs
    let workers: WorkerPool
    let feed: EventFeed
    let settings: CoordinatorSettings
    let clock: any WallClock
    let logger: Logger

    package init(
        database: any SQLDatabase, stores: Stores, ready: ReadyJobs, workers: WorkerPool, feed: EventFeed,
        settings: CoordinatorSettings, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.stores = stores
        self.ready = ready
        self.workers = workers
        self.feed = feed
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    var access: SiteAccess { SiteAccess(stores: stores) }

    /// Accepts an edit: from now on it is not lost. When another job of the site runs, it waits in line.
    ///
    /// - Parameter mode: a word of ``EditMode``; a change when it is left out. Saying "do it", or the id of a plan, lets the
    ///   plan be carried out.
    /// - Parameter conversation: the site's current one when it is left out.
    package func submit(
        prompt: String, engine: String?, baseVersion: Int?, mode: String? = nil, conversation: String? = nil,
        isFresh: Bool = false, to reference: String, for principal: Principal,
        once: Once<(edit: Edit, job: JobView)> = .unkeyed
    ) async throws -> (edit: Edit, job: JobView) {
        var draft = try makeDraft(prompt, engine, baseVersion, mode, conversation)
        draft.isFresh = isFresh
        let asked = draft
        let now = clock.now()
        let accepted = try await database.withTransaction(once, on: try await scope(of: reference, for: principal)) {
            transaction in
            let site = try await hold(reference, for: principal, in: transaction)
            var draft = asked
            if draft.mode == .change, let plan = try await approvedPlan(draft, of: site, in: transaction) {
                draft = Draft(
                    prompt: plan.prompt, engine: draft.engine ?? plan.engine, baseVersion: draft.baseVersion,
                    conversation: plan.conversation, plan: plan.id, isFresh: draft.isFresh)
            }
            return try await insert([draft], variants: nil, on: site, for: principal, at: now, in: transaction)[0]
        }
        await announce([accepted])
        return accepted
    }

    /// Accepts one request to be tried several times on the same base, side by side: each try becomes a version of its
    /// own, and none the preview until somebody picks one. They are worked on at the same time, as far as workers are free.
    package func tryVariants(
        _ count: Int, prompt: String, engine: String?, baseVersion: Int?, conversation: String? = nil,
        to reference: String, for principal: Principal, once: Once<[(edit: Edit, job: JobView)]> = .unkeyed
    ) async throws -> [(edit: Edit, job: JobView)] {
        try EditVariant.requireUseful(count)
        let draft = try makeDraft(prompt, engine, baseVersion, nil, conversation)
        let now = clock.now()
        let accepted = try await database.withTransaction(once, on: try await scope(of: reference, for: principal)) {
            transaction in
            let site = try await hold(reference, for: principal, in: transaction)
            return try await insert(
                Array(repeating: draft, count: count), variants: count, on: site, for: principal, at: now,
                in: transaction)
        }
        await announce(accepted)
        return accepted
    }

    /// Lets an answered plan be carried out.
    package func run(
        plan id: EditID, of reference: String, for principal: Principal,
        once: Once<(edit: Edit, job: JobView)> = .unkeyed
    ) async throws -> (edit: Edit, job: JobView) {
        let now = clock.now()
        let accepted = try await database.withTransaction(once, on: try await scope(of: reference, for: principal)) {
            transaction in
            let site = try await hold(reference, for: principal, in: transaction)
            guard let plan = try await stores.edits.find(id, of: site.id, in: transaction) else {
                throw ServiceError(.notFound, "\(site.slug) has no edit \(id)", field: "edit")
            }
            guard plan.mode == .plan, let job = try await stores.jobs.find(plan.job, in: transaction)?.job,
                case .answered = job.state
            else {
                throw ServiceError(
                    .failedPrecondition, "the edit \(id) is no plan that was answered", rule: "plan-answered",
                    nextStep: "Ask for a plan first, with the mode plan, and wait for its answer.")
            }
            let draft = Draft(
                prompt: plan.prompt, engine: plan.engine, conversation: plan.conversation, plan: plan.id)
            return try await insert([draft], variants: nil, on: site, for: principal, at: now, in: transaction)[0]
        }
        await announce([accepted])
        return accepted
    }

    /// Asks for the same again.
    func `repeat`(
        _ edit: Edit, of site: Site, for principal: Principal, once: Once<(edit: Edit, job: JobView)>
    ) async throws -> (edit: Edit, job: JobView) {
        let now = clock.now()
        let accepted = try await database.withTransaction(once, on: .only([site.id.text])) { transaction in
            let site = try await hold(site.id.text, for: principal, in: transaction)
            let draft = Draft(
                prompt: edit.prompt, engine: edit.engine,
                baseVersion: edit.isBaseChosen ? edit.base.rawValue : nil, mode: edit.mode,
                conversation: edit.conversation, plan: edit.plan, isFresh: edit.isFresh)
            return try await insert(
                [draft], variants: nil, repeating: edit.variant, on: site, for: principal, at: now, in: transaction)[0]
        }
        await announce([accepted])
        return accepted
    }

    /// Newest first.
    package func list(of reference: String, page: PageRequest, for principal: Principal) async throws -> Page<Edit> {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            return try await stores.edits.list(of: site.id, page: page, in: transaction)
        }
    }

    // MARK: In the transaction

    private func makeDraft(
        _ prompt: String, _ engine: String?, _ baseVersion: Int?, _ mode: String?, _ conversation: String?
    ) throws -> Draft {
        var draft = Draft(
            prompt: try Prompt(prompt), engine: try engine.map { try EngineName(named: $0) },
            baseVersion: baseVersion)
        if let mode { draft.mode = try EditMode(named: mode) }
        if let conversation {
            guard let id = ConversationID(conversation) else { throw Self.noConversation(conversation) }
            draft.conversation = id
        }
        return draft
    }

    private static func noConversation(_ text: String) -> ServiceError {
        ServiceError(
            .notFound, "there is no conversation \"\(text.prefix(64))\"", field: "conversation",
            nextStep: "List the conversations of the site to see their ids.")
    }

    /// All that is decided belongs to the site: edits of other sites are taken side by side.
    func scope(of reference: String, for principal: Principal) async throws -> SQLScope {
        // Whether there is one, and whose it is, the transaction sees.
        if let id = SiteID(reference) { return .only([id.text]) }
        return .only([try await database.read { try await access.find(reference, for: principal, in: $0).id.text }])
    }

    private func hold(
        _ reference: String, for principal: Principal, in transaction: any SQLTransaction
    ) async throws -> Site {
        let site = try await access.find(reference, for: principal, in: transaction)
        // Taking the site's row first keeps the order of locks.
        try await stores.sites.save(site, in: transaction)
        return site
    }

    /// The plan that these words let be carried out: the one whose id they are, or the one that was answered last in the
    /// conversation.
    private func approvedPlan(
        _ draft: Draft, of site: Site, in transaction: any SQLTransaction
    ) async throws -> Edit? {
        var plan: Edit?
        if let id = EditID(draft.prompt.text) {
            plan = try await stores.edits.find(id, of: site.id, in: transaction)
        } else if PlanApproval.isGiven(by: draft.prompt) {
            var conversation = draft.conversation
            if conversation == nil {
                conversation = try await stores.conversations.current(of: site.id, in: transaction)?.id
            }
            guard let conversation else { return nil }
            plan = try await stores.edits.list(
                of: conversation, page: try PageRequest(limit: 1), in: transaction
            ).items.first
        }
        guard let plan, plan.mode == .plan, let job = try await stores.jobs.find(plan.job, in: transaction)?.job,
            case .answered = job.state
        else { return nil }
        return plan
    }

    private func insert(
        _ drafts: [Draft], variants: Int?, repeating variant: EditVariant? = nil, on site: Site,
        for principal: Principal, at now: Timestamp, in transaction: any SQLTransaction
    ) async throws -> [(edit: Edit, job: JobView)] {
        guard let shown = site.preview ?? site.live else {
            throw ServiceError(.failedPrecondition, "\(site.slug) has no version to edit", rule: "no-version")
        }
        guard let first = drafts.first else { return [] }
        let firstEngine = try first.engine ?? site.engine ?? EngineName(named: settings.defaultEngine)
        let (queued, active, share, current, setting) = try await transaction.answers(
            stores.jobs.countQueued(of: site.id), stores.jobs.active(of: site.id),
            stores.jobs.fairShare(of: site.owner), stores.conversations.current(of: site.id),
            stores.engines.find(firstEngine))
        guard queued < settings.queuedEditsPerSite, queued + drafts.count <= settings.queuedEditsPerSite + 1 else {
            throw ServiceError(
                .quotaExceeded, "\(queued) edits of \(site.slug) wait already",
                rule: "queued-edits", nextStep: "Wait for some of them to finish, or cancel some.",
                quota: Quota(used: queued, allowed: settings.queuedEditsPerSite, unit: "edits that wait"))
        }
        // In the order of their names, as they are listed and run.
        let editIDs = drafts.map { _ in EditID(at: now) }.sorted()
        let jobIDs = drafts.map { _ in JobID(at: now) }.sorted()
        let viewer = JobViewer(stores: stores, workers: workers)
        var accepted: [(edit: Edit, job: JobView)] = []
        var conversation: ConversationID?
        var end: SiteLine.End? = SiteLine.End(active: active, queued: queued, share: share)
        for (index, draft) in drafts.enumerated() {
            var base: VersionNumber?
            if let number = draft.baseVersion {
                base = try await access.version(number, of: site, in: transaction).number
            }
            // Tries are siblings: whatever the preview shows meanwhile, they have one base.
            if variants != nil { base = base ?? shown }
            if conversation == nil {
                conversation = try await self.conversation(
                    draft, of: site, current: current, for: principal, at: now, in: transaction)
            }
            // Several drafts are one request, tried several times.
            let engine = firstEngine
            try EngineSwitch.requireEnabled(engine, setting)
            try await BudgetGate(stores: stores).admit(engine, to: site, at: now, in: transaction)
            let variant =
                variants.map { EditVariant(group: editIDs[0], number: index + 1, count: $0) } ?? variant
            let job = try await SiteLine(stores: stores).join(
                Job(id: jobIDs[index], site: site.id, kind: .edit, trial: variant?.group, createdAt: now),
                owner: site.owner, behind: end, at: now, in: transaction)
            end = nil
            let edit = Edit(
                id: editIDs[index], site: site.id, author: principal.user, prompt: draft.prompt, engine: engine,
                base: base ?? shown, isBaseChosen: base != nil, job: job.id, isFresh: draft.isFresh, createdAt: now,
                conversation: conversation, mode: draft.mode, plan: draft.plan,
                variant: variant)
            try await stores.edits.insert(edit, in: transaction)
            var details = ["job": job.id.text, "engine": edit.engine.rawValue, "base": edit.base.description]
            if edit.mode != .change { details["mode"] = edit.mode.rawValue }
            details["plan"] = edit.plan?.text
            details["variant"] = edit.variant.map { "\($0.number) of \($0.count)" }
            try await AuditTrail(stores: stores).record(
                .editAccepted, on: edit.id.text, of: site.id, for: principal, details, at: now, in: transaction)
            try await JobEvents(feed: feed).append(.jobQueued, job, owner: site.owner, at: now, in: transaction)
            accepted.append((edit, try await viewer.view(JobRecord(job: job), edit: edit, in: transaction)))
        }
        return accepted
    }

    /// The conversation that an edit belongs to; the first edit of a site begins one.
    private func conversation(
        _ draft: Draft, of site: Site, current: Conversation?, for principal: Principal, at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws -> ConversationID {
        if let id = draft.conversation {
            guard try await stores.conversations.find(id, of: site.id, in: transaction) != nil else {
                throw Self.noConversation(id.text)
            }
            return id
        }
        if let current { return current.id }
        let conversation = Conversation(
            id: ConversationID(at: now), site: site.id, title: draft.prompt.text, startedBy: principal.user,
            createdAt: now)
        try await stores.conversations.insert(conversation, in: transaction)
        return conversation.id
    }

    private func announce(_ accepted: [(edit: Edit, job: JobView)]) async {
        FaultPoint.editAccepted.reach()
        for (edit, view) in accepted {
            ready.sites.note(edit.engine, of: edit.job)
            if view.job.isActive { await ready.announce(view.job) }
        }
        feed.announce()
        for (edit, _) in accepted {
            logger.info(
                "Accepted edit",
                metadata: [
                    "edit.id": "\(edit.id)", "job.id": "\(edit.job)", "site.id": "\(edit.site)",
                    "engine": "\(edit.engine.rawValue)",
                ])
        }
    }
}
