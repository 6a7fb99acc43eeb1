package import Database
package import Domain
package import Persistence

/// Shows and begins conversations.
package struct ConversationService: Sendable {
    private let database: any SQLDatabase
    private let stores: Stores
    private let workers: WorkerPool
    private let clock: any WallClock

    package init(database: any SQLDatabase, stores: Stores, workers: WorkerPool, clock: any WallClock) {
        self.database = database
        self.stores = stores
        self.workers = workers
        self.clock = clock
    }

    private var access: SiteAccess { SiteAccess(stores: stores) }

    /// Begins a conversation; it is the site's current one from now on, and knows nothing of those before.
    package func start(
        title: String?, on reference: String, for principal: Principal, once: Once<Conversation> = .unkeyed
    ) async throws -> Conversation {
        let now = clock.now()
        return try await database.withTransaction(once) { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let conversation = Conversation(
                id: ConversationID(at: now), site: site.id, title: title?.trimmed ?? "", startedBy: principal.user,
                createdAt: now)
            try await stores.conversations.insert(conversation, in: transaction)
            try await AuditTrail(stores: stores).record(
                .conversationStarted, on: conversation.id.text, of: site.id, for: principal, at: now, in: transaction)
            return conversation
        }
    }

    /// Newest first; the first one is the current one.
    package func list(
        of reference: String, page: PageRequest, for principal: Principal
    ) async throws -> Page<Conversation> {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            return try await stores.conversations.list(of: site.id, page: page, in: transaction)
        }
    }

    /// What was asked in a conversation and what came of it, newest first.
    package func turns(
        _ id: ConversationID, of reference: String, page: PageRequest, for principal: Principal
    ) async throws -> Page<JobView> {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            guard try await stores.conversations.find(id, of: site.id, in: transaction) != nil else {
                throw ServiceError(.notFound, "\(site.slug) has no conversation \(id)", field: "conversation")
            }
            let edits = try await stores.edits.list(of: id, page: page, in: transaction)
            let viewer = JobViewer(stores: stores, workers: workers)
            var views: [JobView] = []
            for edit in edits.items {
                guard let record = try await stores.jobs.find(edit.job, in: transaction) else { continue }
                views.append(try await viewer.view(record, in: transaction))
            }
            return Page(items: views, nextCursor: edits.nextCursor)
        }
    }
}
