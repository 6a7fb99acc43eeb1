import BlockingIO
import Domain
import Glibc
import Sandbox

/// An attempt that an earlier agent, killed or replaced, left behind.
struct LeftAttempt: Sendable {
    let offer: JobOffer
    let workspace: Workspace
    /// What runs for it, or has ended without that agent; `nil` when nothing was started yet.
    let task: SandboxTask?

    /// Looks at a folder. `nil` when there is nothing in it to go on with: then nothing of it runs any more and the
    /// folder is gone. Blocks.
    static func find(in workspace: Workspace, unless isOver: (JobLease) -> Bool) throws -> LeftAttempt? {
        guard let offer = try? workspace.readOffer(), !isOver(offer.lease) else {
            try discard(workspace)
            return nil
        }
        switch try SandboxTask.find(in: workspace.task) {
        case .running(let task), .ended(let task): return LeftAttempt(offer: offer, workspace: workspace, task: task)
        case .nothing: return LeftAttempt(offer: offer, workspace: workspace, task: nil)
        case .lost:
            try discard(workspace)
            return nil
        }
    }

    /// How long a shim may take to end what it runs.
    private static let patienceInMilliseconds = 5000

    /// Ends what runs in a folder, and deletes it. Blocks.
    static func discard(_ workspace: Workspace) throws {
        if case .running(let task)? = try? SandboxTask.find(in: workspace.task) {
            task.cancel()
            for _ in 0..<(patienceInMilliseconds / 10) where access(workspace.task + "/result", F_OK) != 0 {
                usleep(10_000)
            }
        }
        try workspace.remove()
    }
}
