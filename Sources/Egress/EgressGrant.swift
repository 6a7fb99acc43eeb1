package import Domain

/// What one task may ask of the world outside of its sandbox: these models, so often, and so much.
package struct EgressGrant: Sendable {
    /// Where the broker listens for this task alone.
    package let socketPath: String
    package let job: JobID
    /// The first of these that has an operation gets the request.
    package let allowed: [ModelEndpoint]
    /// Of requests and answers together.
    package let byteBudget: Int64
    package let requestBudget: Int
    /// How long a model may say nothing at all; `nil` is what the operator says of all.
    package let silence: Duration?
    /// `nil` when nobody watches.
    package let witness: (any EgressWitness)?
    /// Where all answers come from; `nil` when models are asked.
    package let playback: (any EgressPlayback)?

    package init(
        socketPath: String, job: JobID, allowed: [ModelEndpoint], byteBudget: Int64 = 256 << 20,
        requestBudget: Int = 500, silence: Duration? = nil, witness: (any EgressWitness)? = nil,
        playback: (any EgressPlayback)? = nil
    ) {
        self.socketPath = socketPath
        self.job = job
        self.allowed = allowed
        self.byteBudget = byteBudget
        self.requestBudget = requestBudget
        self.silence = silence
        self.witness = witness
        self.playback = playback
    }
}
