/// What a failure of an engine or of its model means for what comes next.
package enum EngineFailure: String, Sendable, CaseIterable {
    /// Worth another attempt after a while.
    case retryLater = "retry-later"
    /// Another attempt would fail in the same way.
    case permanent
    /// The request and what belongs to it do not fit into the model; a smaller one may.
    case tooBig = "too-big"
    /// It was stopped because it used what it may use.
    case limitReached = "limit-reached"
}

extension JobFailure {
    /// Sorted by its code; every code of an engine is in here.
    package var sort: EngineFailure {
        switch code {
        case "model-context", "memory-limit", "workspace-size", "workspace-files": .tooBig
        case "model-turns", "model-budget", "budget-edit", "time-limit", "process-limit", "output-limit",
            "model-incomplete":
            .limitReached
        default: kind == .infrastructure ? .retryLater : .permanent
        }
    }

    /// Blobs, or whatever else an attempt needed of the coordinator, could not be had.
    package static let unavailableCode = "worker-unavailable"

    /// How long to wait before the next attempt: a model that is busy needs longer than a host that went away, and a store
    /// that is away, which was waited for during the attempt already, needs longest.
    ///
    /// - Parameter losses: how many attempts were lost so far, this one among them.
    package func retryDelay(losses: Int) -> Duration {
        let losses = max(1, losses)
        let exponent = min(losses - 1, 6)
        if code == Self.unavailableCode { return .seconds(min(300, 20 << exponent)) }
        return code.hasPrefix("model-") ? .seconds(min(300, 5 << exponent)) : .seconds(min(30, losses))
    }

    package static func model(_ kind: Kind, _ code: String, _ message: String) -> JobFailure {
        JobFailure(kind: kind, code: "model-" + code, message: message)
    }

    package static func modelUnavailable(_ detail: String) -> JobFailure {
        model(.infrastructure, "unavailable", "The AI model cannot be reached or is overloaded: \(detail)")
    }

    package static let modelCredentials = model(
        .task, "credentials", "The AI model refused our credentials. An administrator has to renew them.")
    package static let modelQuota = model(
        .task, "quota", "The quota of the AI model is used up. An administrator has to raise it.")
    package static let modelUnknown = model(
        .task, "unknown", "The AI service does not know the model that is configured. Tell an administrator.")
    package static let modelContext = model(
        .task, "context", "The request and the files are too large for the model. Ask for a smaller change.")
    package static let modelIncomplete = model(
        .task, "incomplete", "The answer of the model was cut off. Ask for a smaller change.")
    package static let modelTurns = model(
        .task, "turns", "The model took more steps than are allowed and was stopped. Ask for a smaller change.")
    package static let modelBudget = model(
        .task, "budget", "The edit used all the tokens that one edit may use and was stopped. Ask for a smaller change."
    )
    package static let modelRefused = model(
        .task, "refused", "The AI model declined this request. Say it in other words.")
    /// - Parameter sentence: what the model said about it; empty when it said nothing. It is only shown.
    package static func modelRefused(saying sentence: String) -> JobFailure {
        guard !sentence.allSatisfy(\.isWhitespace) else { return modelRefused }
        return model(.task, "refused", "The AI model declined this request. It says: \(sentence)")
    }

    package static let modelTimeout = model(
        .infrastructure, "timeout", "The model did not answer in time.")
    package static func modelBadRequest(_ detail: String) -> JobFailure {
        model(.task, "bad-request", "The AI service refused the request: \(detail)")
    }
}
