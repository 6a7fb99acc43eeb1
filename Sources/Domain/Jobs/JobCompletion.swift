/// What a worker says at the end of an attempt. It is spooled on the worker until a verdict came.
package struct JobCompletion: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        /// The site as it is now: what differs from the base, and the digest of the whole manifest.
        case succeeded(changes: ManifestDelta, digest: ContentDigest)
        case failed(JobFailure)
        /// Everything that ran for the job is gone.
        case cancelled
    }

    /// Whether a browser looks at the pages that changed, after this.
    package enum Look: Sendable, Equatable {
        /// Nobody says.
        case none
        /// A report comes later.
        case follows
        /// Why nothing can be looked at.
        case impossible(String)
    }

    /// How long a transcript may be, in bytes. One that is longer is not kept, so the edit cannot be replayed.
    package static let transcriptLimit = 1 << 20

    package let lease: JobLease
    package let outcome: Outcome
    /// What the engine says that it did, for the user; at most 4,000 characters.
    package let summary: String
    package let usage: TokenUsage
    /// What the engine and its model said to each other, for a replay; empty when the engine keeps none.
    package let transcript: [UInt8]
    /// Of a generation: every step that this attempt did; at most ``GenerationStep/countLimit``.
    package let steps: [GenerationStep]
    package let look: Look

    package init(
        lease: JobLease, outcome: Outcome, summary: String, usage: TokenUsage, transcript: [UInt8] = [],
        steps: [GenerationStep] = [], look: Look = .none
    ) {
        self.lease = lease
        self.outcome = outcome
        self.summary = summary
        self.usage = usage
        self.transcript = transcript
        self.steps = steps
        self.look = look
    }
}

/// The coordinator's answer to a completion; each of them ends the worker's re-sending.
package enum CompletionVerdict: String, Sendable, CaseIterable {
    /// It took effect now.
    case applied
    /// It had taken effect before.
    case duplicate
    /// The lease is over: the result was dropped.
    case stale
}
