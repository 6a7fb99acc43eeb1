/// The making of a site from a brief. Its work is done by jobs of kind `generate`, one after the other: the first for
/// everything or for the plan alone, others after the plan was approved or when one failed.
package struct Generation: Sendable, Identifiable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case queued
        case working
        case waitingForPlan = "waiting_for_plan"
        case done
        case failed
        case cancelled
    }

    package let id: GenerationID
    package let site: SiteID
    package let author: UserID
    package let engine: EngineName
    package let brief: SiteBrief
    /// Whether the owner looks at the plan before the rest.
    package let reviewsPlan: Bool
    /// `nil` until the first step is done.
    package private(set) var plan: Sitemap?
    package private(set) var isPlanApproved: Bool
    /// The newest of its jobs.
    package private(set) var job: JobID
    /// 0 to 100; never falls.
    package private(set) var progress: Int
    package let createdAt: Timestamp
    package private(set) var updatedAt: Timestamp

    package init(
        id: GenerationID, site: SiteID, author: UserID, engine: EngineName, brief: SiteBrief, reviewsPlan: Bool,
        plan: Sitemap? = nil, isPlanApproved: Bool = false, job: JobID, progress: Int = 0, createdAt: Timestamp,
        updatedAt: Timestamp? = nil
    ) {
        self.id = id
        self.site = site
        self.author = author
        self.engine = engine
        self.brief = brief
        self.reviewsPlan = reviewsPlan
        self.plan = plan
        self.isPlanApproved = isPlanApproved
        self.job = job
        self.progress = progress
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
    }

    /// Whether the job that is to run now ends with the plan.
    package var stopsAfterPlan: Bool { reviewsPlan && !isPlanApproved }

    /// What its newest job says of it.
    package func state(of job: Job) -> State {
        switch job.state {
        case .queued, .ready: .queued
        case .leased: .working
        case .succeeded, .answered: stopsAfterPlan ? .waitingForPlan : .done
        case .failed, .dead: .failed
        case .cancelled: .cancelled
        }
    }

    /// What the worker is told; `steps` are those that were done before.
    package func task(with steps: [GenerationStep]) -> GenerationTask {
        var stored: [GenerationTask.Stored] = []
        var size = 0
        for step in steps where [.plan, .copy, .design].contains(step.name) {
            size += step.input.utf8.count + step.output.utf8.count
            // What is left out is only done again. In JSON, text can take twice its size.
            guard size <= GenerationTask.sizeLimit / 4 else { break }
            stored.append(.init(name: step.name, page: step.page, input: step.input, output: step.output))
        }
        return GenerationTask(
            brief: brief, plan: isPlanApproved ? plan : nil, stopsAfterPlan: stopsAfterPlan, stored: stored)
    }

    /// A worker did a step. The plan of a worker never replaces one that its owner approved.
    package mutating func note(_ done: [GenerationStep.Key], plan proposed: Sitemap?, at now: Timestamp) {
        if let proposed, !isPlanApproved { plan = proposed }
        let pages = (plan?.pages.count ?? 1) * brief.languages.count
        progress = max(progress, GenerationPipeline.progress(of: done, pages: pages))
        updatedAt = now
    }

    /// Its work is over and its version is there.
    package mutating func finish(at now: Timestamp) {
        if !stopsAfterPlan { progress = 100 }
        updatedAt = now
    }

    /// The owner changes the plan that waits for approval.
    package mutating func change(_ plan: Sitemap, whileJobIs job: Job, at now: Timestamp) throws(ServiceError) {
        guard state(of: job) == .waitingForPlan else {
            throw ServiceError(
                .conflict, "the plan cannot be changed: the generation is \(state(of: job).rawValue)",
                rule: "generation-state", nextStep: "Edit the site instead.")
        }
        self.plan = plan
        updatedAt = now
    }

    /// The plan is good, or a failed job is to go on from what was done: `next` does the rest.
    package mutating func resume(after job: Job, with next: JobID, at now: Timestamp) throws(ServiceError) {
        switch state(of: job) {
        case .waitingForPlan: isPlanApproved = true
        case .failed, .cancelled: break
        case .queued, .working:
            throw ServiceError(
                .conflict, "the generation goes on already", rule: "generation-state",
                nextStep: "Follow it with: pagewright job \(job.id) --follow.")
        case .done:
            throw ServiceError(
                .conflict, "the site is generated already", rule: "generation-state",
                nextStep: "Change it with an edit.")
        }
        self.job = next
        updatedAt = now
    }

    /// How the request reads in the list of what was asked for.
    package var request: String {
        stopsAfterPlan
            ? "Plan the website of \(brief.businessName) (\(brief.type)): \(brief.description)"
            : "Make the website of \(brief.businessName) (\(brief.type)): \(brief.description)"
    }
}
