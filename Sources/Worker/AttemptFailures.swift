import BlockingIO
import Domain
import Engines
import Sandbox

extension JobFailure {
    /// An engine that ends well has not necessarily done anything.
    static func nothingChanged(summary: String) -> JobFailure {
        let said = summary.isEmpty ? "" : " The engine said: \(summary)"
        return JobFailure(kind: .task, code: "nothing-changed", message: "Nothing was changed.\(said)")
    }

    /// What an error on the way means for the job.
    init(during error: any Error) {
        switch error {
        case let refusal as EngineRefusal:
            self = refusal.failure
        case let refusal as WorkspaceCollector.Refusal:
            self.init(kind: .task, code: refusal.rule, message: "The result was refused: \(refusal.message).")
        case let error as SystemCallError where error.isStorageFull:
            self = .diskFull
        case let error as SystemFailure where error.isDiskFull:
            self = .diskFull
        case let error as ServiceError where error.code == .storageFull:
            self = .diskFull
        case let error as ServiceError where error.code == .validationFailed || error.code == .payloadTooLarge:
            self.init(
                kind: .task, code: error.rule ?? "validation-failed",
                message: "The result was refused: \(error.message).")
        case let error as ServiceError:
            self.init(
                kind: .infrastructure, code: "worker-\(error.code.rawValue)",
                message: "The worker failed: \(error.message).")
        case let error as SandboxError:
            self.init(kind: .infrastructure, code: "sandbox-failed", message: "The worker failed: \(error).")
        case is DamagedBlob:
            self.init(kind: .infrastructure, code: "blob-damaged", message: "A stored file of the worker was damaged.")
        case is CancellationError:
            self = .interrupted
        default:
            self.init(kind: .infrastructure, code: "worker-failed", message: "The worker failed: \(error).")
        }
    }

    private static let diskFull = JobFailure(
        kind: .infrastructure, code: "disk-full",
        message: "The disk of the worker is full. Free some space on it; the job is tried again.")
}

extension SandboxLimits {
    init(_ limits: JobOffer.Limits) {
        self.init(
            wallTime: limits.wallTime, memoryInBytes: limits.memoryInBytes, processes: limits.processes,
            outputInBytes: limits.outputInBytes, workspaceInBytes: limits.workspaceInBytes,
            workspaceFiles: limits.workspaceFiles)
    }
}
