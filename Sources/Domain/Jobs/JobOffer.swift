/// Everything that a worker needs to try a job once.
package struct JobOffer: Sendable, Equatable {
    package struct Limits: Sendable, Equatable {
        package var wallTime: Duration
        package var memoryInBytes: Int64
        package var processes: Int
        /// Of what the program prints.
        package var outputInBytes: Int64
        /// Of all files together, and of how many.
        package var workspaceInBytes: Int64
        package var workspaceFiles: Int

        package init(
            wallTime: Duration = .seconds(600), memoryInBytes: Int64 = 2 << 30, processes: Int = 128,
            outputInBytes: Int64 = 16 << 20, workspaceInBytes: Int64 = 2 << 30, workspaceFiles: Int = 50_000
        ) {
            self.wallTime = wallTime
            self.memoryInBytes = memoryInBytes
            self.processes = processes
            self.outputInBytes = outputInBytes
            self.workspaceInBytes = workspaceInBytes
            self.workspaceFiles = workspaceFiles
        }
    }

    package let lease: JobLease
    package let site: SiteID
    package let kind: Job.Kind
    /// How long the lease lasts from the instant of receipt, unless renewed.
    package let leaseDuration: Duration
    /// The version to start from.
    package let base: ContentDigest
    package let engine: EngineName
    package let prompt: String
    package let limits: Limits
    /// How to ask a model; `nil` when the engine needs none, or the worker was told by its own operator. Never written
    /// down: it carries a key.
    package let model: ModelAccess?
    /// A transcript of the engine that is to be followed instead of asking a model; empty when there is none.
    package let replay: [UInt8]
    /// Names what the engine may remember of earlier edits, on the worker that ran them; empty when there is nothing.
    package let conversation: String
    /// The request alone, for an engine that remembers what was said before; ``prompt`` is for one that does not.
    package let continuation: String
    /// A ``GenerationTask`` as JSON; `nil` unless the kind is `generate`.
    package let generation: String?
    /// Of a look: the pages of the base version that a browser is to show.
    package let lookPages: [SitePath]

    package init(
        lease: JobLease, site: SiteID, kind: Job.Kind, leaseDuration: Duration, base: ContentDigest,
        engine: EngineName, prompt: String, limits: Limits, model: ModelAccess? = nil, replay: [UInt8] = [],
        conversation: String = "", continuation: String = "", generation: String? = nil,
        lookPages: [SitePath] = []
    ) {
        self.lease = lease
        self.site = site
        self.kind = kind
        self.leaseDuration = leaseDuration
        self.base = base
        self.engine = engine
        self.prompt = prompt
        self.limits = limits
        self.model = model
        self.replay = replay
        self.conversation = conversation
        self.continuation = continuation
        self.generation = generation
        self.lookPages = lookPages
    }
}
