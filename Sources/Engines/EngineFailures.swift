import Domain
import Sandbox

extension JobFailure {
    /// The model answered with something else than an answer.
    static func modelGarbage(_ detail: String) -> JobFailure {
        let said = detail.shown(limit: 300)
        return model(.infrastructure, "garbage", "The AI model gave an answer that cannot be read: \(said)")
    }

    /// The failure that a stopped sandbox means; `nil` when the program ended by itself.
    static func stopped(_ outcome: SandboxOutcome, limits: SandboxLimits) -> JobFailure? {
        switch outcome.ending {
        case .exited(125):
            JobFailure(
                kind: .infrastructure, code: "engine-not-started",
                message: "The editing program could not be started on this worker.")
        case .exited: nil
        case .cancelled:
            JobFailure(kind: .infrastructure, code: "interrupted", message: "The work was interrupted.")
        case .exceeded(.wallTime):
            JobFailure(
                kind: .task, code: "time-limit",
                message:
                    "The edit took longer than \(limits.wallTime.inWords) and was stopped. Ask for a smaller change.")
        case .exceeded(.memory) where outcome.use.map { $0.peakMemoryInBytes < limits.memoryInBytes / 8 * 7 } == true:
            // The kernel ended it below its own limit: something else needed the memory, or the host has less.
            JobFailure(
                kind: .infrastructure, code: "host-memory",
                message: "The worker ran out of memory, so the edit was stopped.")
        case .exceeded(.memory):
            JobFailure(
                kind: .task, code: "memory-limit",
                message: "The edit needed more memory than is allowed and was stopped.")
        case .exceeded(.processes):
            JobFailure(
                kind: .task, code: "process-limit",
                message: "The edit started more than \(limits.processes) programs at once and was stopped.")
        case .exceeded(.output):
            JobFailure(kind: .task, code: "output-limit", message: "The edit printed too much and was stopped.")
        case .exceeded(.workspaceSize):
            JobFailure(
                kind: .task, code: "workspace-size",
                message: "The edit wrote more than \(limits.workspaceInBytes >> 20) MiB and was stopped.")
        case .exceeded(.workspaceFiles):
            JobFailure(
                kind: .task, code: "workspace-files",
                message:
                    "The edit made more than \(limits.workspaceFiles) files, or folders nested too deeply, and was stopped."
            )
        case .exceeded(.diskFull):
            JobFailure(
                kind: .infrastructure, code: "disk-full",
                message: "The disk of the worker is nearly full, so the edit was stopped. Free some space on it.")
        }
    }
}

extension Duration {
    /// Such as `10 minutes` or `30 seconds`.
    var inWords: String {
        let seconds = max(1, components.seconds)
        if seconds.isMultiple(of: 60) { return seconds == 60 ? "a minute" : "\(seconds / 60) minutes" }
        return seconds == 1 ? "a second" : "\(seconds) seconds"
    }
}

extension String {
    /// Text of a program as a person may see it: no control characters, at most `limit` characters.
    func shown(limit: Int) -> String {
        let scalars = unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar == "\n" || scalar == "\t" || scalar.value >= 0x20 && scalar.value != 0x7f ? scalar : "\u{FFFD}"
        }
        var text = String(String.UnicodeScalarView(scalars))
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text.count > limit ? String(text.prefix(limit - 1)) + "…" : text
    }
}
