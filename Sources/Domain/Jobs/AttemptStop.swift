/// Why an attempt is stopped before it has ended by itself.
package enum AttemptStop: Sendable, Equatable {
    /// Somebody asked for it; the coordinator waits for the confirmation.
    case cancelled
    /// The lease belongs to nobody or to another host: say nothing.
    case leaseLost
    /// The coordinator was out of reach for too long.
    case leaseExpired
    /// This agent stops.
    case shutdown

    /// The first reason stays, but a lost lease silences every other.
    package func joining(_ earlier: AttemptStop?) -> AttemptStop {
        if self == .leaseLost { self } else { earlier ?? self }
    }

    /// What is said of an attempt that came to `result`; `nil` when nothing may be said.
    package static func outcome(
        of result: JobCompletion.Outcome, stoppedBy reason: AttemptStop?
    ) -> JobCompletion.Outcome? {
        switch reason {
        case .leaseLost: return nil
        case .cancelled: return .cancelled
        case .leaseExpired: return .failed(.leaseExpired)
        case .shutdown:
            if case .succeeded = result { return result }
            return .failed(.interrupted)
        case nil: return result
        }
    }
}

extension JobFailure {
    package static let interrupted = JobFailure(
        kind: .infrastructure, code: "interrupted", message: "The worker was stopped while it worked on this.")

    package static let leaseExpired = JobFailure(
        kind: .infrastructure, code: "lease-expired",
        message: "The worker lost contact with the coordinator for too long and stopped.")
}
