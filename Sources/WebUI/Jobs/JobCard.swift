import Coordinator
import Domain

/// One job as a card: what was asked for, how far it is, what came of it.
struct JobCard {
    let view: JobView

    private var job: Job { view.job }
    /// The version that was made of it after all, because its owner allowed what the checks had refused.
    private var allowed: VersionNumber? {
        if case .failed = job.state { view.review?.version } else { nil }
    }

    /// The version that came of it.
    var made: VersionNumber? { job.made ?? allowed }

    var values: [String: Any] {
        var values: [String: Any] = [
            "id": job.id.text, "path": "/jobs/\(job.id)", "state": word, "kind": kind,
            "created": Wording.time(job.createdAt), "updated": Wording.time(job.updatedAt), "attempt": job.attempt,
            "canCancel": !job.isTerminal && job.cancelRequestedAt == nil, "canRetry": canRetry,
            "isOver": job.isTerminal, "isStopping": job.cancelRequestedAt != nil && !job.isTerminal,
            "hasFindings": !view.findings.isEmpty, "isRefused": view.isRefused, "canAccept": view.isAcceptable,
            "findings": view.findings.map(FindingRow.values),
        ]
        if let edit = view.edit {
            values["prompt"] = edit.prompt.text
            values["engine"] = edit.engine.title
            values["base"] = edit.base.rawValue
            if case .answered = job.state, edit.mode == .plan {
                values["planned"] = [
                    "edit": edit.id.text, "touched": edit.plannedFiles, "hasTouched": !edit.plannedFiles.isEmpty,
                ]
            }
        }
        if case .leased = job.state {
            values["progress"] = ["percent": job.progress, "step": job.step.isEmpty ? "Working" : job.step]
        }
        if let wait = view.wait { values["why"] = WaitSentence.values(wait) }
        if let failure = job.problem, allowed == nil {
            // The first paragraph says what went wrong; what follows is folded away.
            let gap = "\n\n"
            let parts = failure.message.split(separator: gap, maxSplits: 1).map(String.init)
            values["failure"] = parts.first ?? failure.message
            if parts.count > 1 { values["failureMore"] = parts[1].trimmed }
        }
        if case .cancelled = job.state { values["cancelled"] = true }
        if let made { values["version"] = made.rawValue }
        if !view.summary.isEmpty { values["summary"] = view.summary }
        let tokens = view.usage.uncachedInput + view.usage.cachedInput + view.usage.output
        if view.isFromCache {
            values["usage"] = "from cache, 0 tokens"
        } else if tokens > 0 {
            values["usage"] =
                "\(Wording.count(tokens, "token")): \(view.usage.output) out, \(view.usage.cachedInput) of the rest cached"
        }
        return values
    }

    private var canRetry: Bool {
        switch job.state {
        case .failed, .cancelled, .dead: allowed == nil
        case .queued, .ready, .leased, .succeeded, .answered: false
        }
    }

    private var word: String {
        switch job.state {
        case .queued, .ready: "Waiting"
        case .leased: job.cancelRequestedAt == nil ? "Running" : "Stopping"
        case .succeeded: "Done"
        case .answered: "Answered"
        case .failed: allowed == nil ? "Not done" : "Allowed"
        case .cancelled: "Stopped"
        case .dead: "Given up"
        }
    }

    private var kind: String {
        switch job.state {
        case .queued, .ready: "wait"
        case .leased: "busy"
        case .succeeded, .answered: "ok"
        case .failed, .dead: allowed == nil ? "danger" : "ok"
        case .cancelled: "plain"
        }
    }
}

extension Job {
    /// What it made, when it succeeded.
    var made: VersionNumber? {
        if case .succeeded(let version) = state { version } else { nil }
    }

    /// Why it did not succeed.
    var problem: JobFailure? {
        switch state {
        case .failed(let failure), .dead(let failure): failure
        case .queued, .ready, .leased, .succeeded, .answered, .cancelled: nil
        }
    }
}
