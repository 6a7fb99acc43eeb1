import Glibc
import Synchronization

/// A step after which everything that was promised must survive the death of the program.
///
/// A test starts the program with `PAGEWRIGHT_FAULT=<name>`; when it reaches the step it kills itself as `kill -9`
/// would: nothing is flushed, nobody is told. With `PAGEWRIGHT_FAULT_VICTIM=<pid>` as well it is that process that dies, once:
/// a coordinator can be killed at a step of an agent. Without the variable a step costs one comparison.
package enum FaultPoint: String, CaseIterable, Sendable {
    // The coordinator
    case editAccepted = "edit-accepted"
    case beforeGrantCommit = "before-grant-commit"
    case afterGrantCommit = "after-grant-commit"
    case offerSent = "offer-sent"
    case offerAccepted = "offer-accepted"
    case progressReceived = "progress-received"
    case blobsReceived = "blobs-received"
    case completionReceived = "completion-received"
    case beforeCompletionCommit = "before-completion-commit"
    case afterCompletionCommit = "after-completion-commit"
    case beforeReleaseCommit = "before-release-commit"
    case afterReleaseCommit = "after-release-commit"
    case desiredStateSent = "desired-state-sent"
    case siteStatusReceived = "site-status-received"
    // The agent
    case jobAccepted = "job-accepted"
    case workspaceReady = "workspace-ready"
    case engineEnded = "engine-ended"
    case resultUploaded = "result-uploaded"
    case completionSpooled = "completion-spooled"

    private static let armed = getenv("PAGEWRIGHT_FAULT").map { String(cString: $0) }
    private static let victim = getenv("PAGEWRIGHT_FAULT_VICTIM").flatMap { pid_t(String(cString: $0)) }
    private static let isSpent = Atomic(false)

    /// Dies here, if this is the step to die at.
    package func reach() { Self.reach(rawValue) }

    /// The same for steps that have names of their own, such as those of serving a site.
    package static func reach(_ name: String) {
        guard let armed, armed == name else { return }
        guard let victim else {
            kill(getpid(), SIGKILL)
            return
        }
        if !isSpent.exchange(true, ordering: .relaxed) { kill(victim, SIGKILL) }
    }
}
