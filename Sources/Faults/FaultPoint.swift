import Glibc

/// A step after which everything that was promised must survive the death of the program.
///
/// A test starts the program with `PAGEWRIGHT_FAULT=<name>`; when it reaches the step it kills itself as `kill -9`
/// would: nothing is flushed, nobody is told. With `PAGEWRIGHT_FAULT_FILE=<path>` a step can be named later: the file
/// says `<name>`, or `<name> <pid>` for a process that is to die instead, or `<name> <pid> <signal>` for another signal
/// than 9 (0 as pid is the program itself), and is gone when it has been obeyed. Without the variables a step costs two
/// comparisons.
package enum FaultPoint: String, CaseIterable, Sendable {
    // The coordinator
    case editAccepted = "edit-accepted"
    case beforeGrantCommit = "before-grant-commit"
    case afterGrantCommit = "after-grant-commit"
    case offerSent = "offer-sent"
    case offerAccepted = "offer-accepted"
    case progressReceived = "progress-received"
    case blobsArriving = "blobs-arriving"
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
    case taskStarted = "task-started"
    case engineEnded = "engine-ended"
    case resultUploaded = "result-uploaded"
    case completionSpooled = "completion-spooled"

    private static let armed = getenv("PAGEWRIGHT_FAULT").map { String(cString: $0) }
    private static let file = getenv("PAGEWRIGHT_FAULT_FILE").map { String(cString: $0) }

    /// Dies here, if this is the step to die at.
    package func reach() { Self.reach(rawValue) }

    /// The same for steps that have names of their own, such as those of serving a site.
    package static func reach(_ name: String) {
        if let armed, armed == name { kill(getpid(), SIGKILL) }
        if let file { obey(file, at: name) }
    }

    private static func obey(_ file: String, at name: String) {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return }
        let words = String(decoding: bytes[..<count], as: UTF8.self).split { $0 == " " || $0 == "\n" }
        // Who deletes the order obeys it, so that it is obeyed once.
        guard let step = words.first, step == name, unlink(file) == 0 else { return }
        let victim = words.dropFirst().first.flatMap { pid_t($0) } ?? 0
        kill(victim > 0 ? victim : getpid(), words.dropFirst(2).first.flatMap { CInt($0) } ?? SIGKILL)
    }
}
