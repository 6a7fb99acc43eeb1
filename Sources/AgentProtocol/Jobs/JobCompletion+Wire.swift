package import Domain
import FoundationEssentials
import SwiftProtobuf

extension JobCompletion {
    package init(wire: Pagewright_Agent_V1_Completion) throws(ServiceError) {
        self.init(
            lease: try JobLease(wire: try Field.present(wire.hasLease, wire.lease, "lease")),
            outcome: try Outcome(wire: wire.outcome),
            summary: try Field.text(wire.summary, "summary", atMost: TextLimit.summary),
            usage: try TokenUsage(wire: wire.usage),
            transcript: Array(try Field.data(wire.transcript, "transcript", atMost: Self.transcriptLimit)),
            steps: try GenerationStep.list(wire: wire.steps), look: try Look(wire: wire))
    }

    package var wire: Pagewright_Agent_V1_Completion {
        .with {
            $0.lease = lease.wire
            $0.outcome = outcome.wire
            $0.summary = summary.clipped(to: TextLimit.summary)
            $0.usage = usage.wire
            $0.transcript = Data(transcript)
            $0.steps = steps.prefix(GenerationStep.countLimit).map(\.wire)
            switch look {
            case .none: break
            case .follows: $0.lookFollows = true
            case .impossible(let reason): $0.lookObstacle = reason.clipped(to: PageChecks.textLimit)
            }
        }
    }

    /// Reads what ``serialized()`` wrote, such as a spool file.
    package init(serialized bytes: [UInt8]) throws(ServiceError) {
        let wire: Pagewright_Agent_V1_Completion
        do {
            wire = try Pagewright_Agent_V1_Completion(serializedBytes: bytes)
        } catch {
            throw Field.refuse("completion", "is not a message", rule: "field-format", cause: error)
        }
        try self.init(wire: wire)
    }

    package func serialized() throws(ServiceError) -> [UInt8] {
        do {
            return try wire.serializedBytes()
        } catch {
            throw ServiceError(.internalError, "cannot encode the completion of \(lease.job)", cause: error)
        }
    }
}

extension JobCompletion.Look {
    fileprivate init(wire: Pagewright_Agent_V1_Completion) throws(ServiceError) {
        let obstacle = try Field.text(wire.lookObstacle, "look_obstacle", atMost: PageChecks.textLimit)
        self = wire.lookFollows ? .follows : obstacle.isEmpty ? .none : .impossible(obstacle)
    }
}

extension JobCompletion.Outcome {
    init(wire: Pagewright_Agent_V1_Completion.OneOf_Outcome?) throws(ServiceError) {
        switch wire {
        case .succeeded(let succeeded):
            self = .succeeded(
                changes: try ManifestDelta(wire: succeeded), digest: try Field.digest(succeeded.digest, "digest"))
        case .failed(let failed):
            self = .failed(
                JobFailure(
                    kind: try Field.choice(failed.kind, "failed.kind"),
                    code: try Field.text(failed.code, "failed.code", atMost: TextLimit.name),
                    message: try Field.text(failed.message, "failed.message", atMost: TextLimit.reason)))
        case .cancelled:
            self = .cancelled
        case nil:
            throw Field.refuse("outcome", "is missing", rule: "field-missing")
        }
    }

    var wire: Pagewright_Agent_V1_Completion.OneOf_Outcome {
        switch self {
        case .succeeded(let changes, let digest):
            .succeeded(
                .with {
                    $0.upserts = changes.upserts.map(\.wire)
                    $0.removals = changes.removals.map(\.text)
                    $0.digest = Data(digest.bytes)
                })
        case .failed(let failure):
            .failed(
                .with {
                    $0.kind = failure.kind.rawValue
                    $0.code = failure.code.clipped(to: TextLimit.name)
                    $0.message = failure.message.clipped(to: TextLimit.reason)
                })
        case .cancelled:
            .cancelled(.init())
        }
    }
}

extension TokenUsage {
    init(wire: Pagewright_Agent_V1_Usage) throws(ServiceError) {
        self.init(
            uncachedInput: try Field.integer(wire.uncachedInputTokens, "usage.uncached_input_tokens"),
            cachedInput: try Field.integer(wire.cachedInputTokens, "usage.cached_input_tokens"),
            output: try Field.integer(wire.outputTokens, "usage.output_tokens"))
    }

    var wire: Pagewright_Agent_V1_Usage {
        .with {
            $0.uncachedInputTokens = Int64(uncachedInput)
            $0.cachedInputTokens = Int64(cachedInput)
            $0.outputTokens = Int64(output)
        }
    }
}
