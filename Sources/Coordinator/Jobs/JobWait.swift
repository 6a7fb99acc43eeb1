package import Domain

/// Why a job waits.
package struct JobWait: Sendable, Equatable {
    package enum Reason: String, Sendable, CaseIterable {
        /// Another job of the site has the turn: ``heldBy`` since ``since``.
        case siteBusy = "site-busy"
        /// It is next, and a worker is about to take it.
        case next
        case noWorker = "no-worker"
        /// Workers are connected, and none runs the engine.
        case noCapableWorker = "no-capable-worker"
        case draining
        case workersBusy = "workers-busy"
        /// Nothing is granted until an operator has accepted the recovery.
        case recovery
    }

    package let reason: Reason
    /// The same as a sentence.
    package let message: String
    /// The job that holds the site.
    package let heldBy: JobID?
    /// Since when it does.
    package let since: Timestamp?
    /// Its place in its line: the site's while that is busy, otherwise the line of all ready jobs. 1 is next.
    package let position: Int

    package init(reason: Reason, message: String, heldBy: JobID? = nil, since: Timestamp? = nil, position: Int) {
        self.reason = reason
        self.message = message
        self.heldBy = heldBy
        self.since = since
        self.position = position
    }
}
