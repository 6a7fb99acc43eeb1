import Glibc

/// Runs a program as a ``SandboxPlan`` says, within its limits, by a shim that owns it.
///
/// Memory and processes are limited by a control group where this agent may make one. Elsewhere each process has a
/// limited address space and the whole tree is measured several times a second.
package struct SandboxRunner: Sendable {
    package let tools: SandboxTools
    package let controlGroups: ControlGroupParent?
    private let driver: any SandboxDriver

    /// - Parameter driver: builds the walls; bubblewrap when it is left out.
    package init(tools: SandboxTools, controlGroups: ControlGroupParent?, driver: (any SandboxDriver)? = nil) {
        self.tools = tools
        self.controlGroups = controlGroups
        self.driver = driver ?? Bubblewrap(program: tools.bubblewrap)
    }

    /// With what this host has. Throws when that is not enough for every wall: there is no way to run without a
    /// sandbox, or in one whose processes nobody can limit.
    package init() throws(SandboxError) {
        let tools = try SandboxTools.locate()
        let controlGroups = ControlGroupParent.detect()
        // The kernel counts the processes of every user but root.
        guard controlGroups != nil || getuid() != 0 else {
            throw .cannotStart(
                "as root, processes can be limited by a control group only, and none can be made here; "
                    + "run the agent as an ordinary user, or with the systemd setting Delegate=yes")
        }
        self.init(tools: tools, controlGroups: controlGroups)
    }

    /// Runs the program with `input` as its standard input and returns how it ended, when nothing of it is left.
    ///
    /// Cancelling the task kills everything at once and returns the ending `cancelled`. When this process dies, the
    /// sandbox dies with it.
    ///
    /// - Parameter onOutput: called in order on a thread of its own.
    package func run(
        _ plan: SandboxPlan, input: [UInt8] = [], onOutput: @escaping @Sendable (SandboxOutput) -> Void = { _ in }
    ) async throws -> SandboxOutcome {
        if Task.isCancelled { return SandboxOutcome(ending: .cancelled) }
        let folder = try TaskFolder()
        let task = try await start(plan, input: input, in: folder.path, lease: nil, keepsake: [])
        let outcome = try await task.waitForEnd { output, _ in onOutput(output) }
        withExtendedLifetime(folder) {}
        return outcome
    }

    /// Starts the program as a task that does not depend on this process. It is killed when nobody renews its lease.
    ///
    /// - Parameters:
    ///   - folder: an empty folder outside of everything that the plan binds. Whoever deletes it has seen the end.
    ///   - lease: how long the task may run before the first ``SandboxTask/renew(for:)``.
    ///   - keepsake: at most 64 KiB that the shim keeps in its memory, and on no disk, for whoever finds the task.
    package func start(
        _ plan: SandboxPlan, input: [UInt8] = [], in folder: String, lease: Duration, keepsake: [UInt8] = []
    ) async throws -> SandboxTask {
        try await start(plan, input: input, in: folder, lease: .some(lease), keepsake: keepsake)
    }

    private func start(
        _ plan: SandboxPlan, input: [UInt8], in folder: String, lease: Duration?, keepsake: [UInt8]
    ) async throws -> SandboxTask {
        precondition(keepsake.count <= 64 << 10, "a keepsake is small")
        if plan.modelSocket != nil && tools.bridge == nil {
            throw SandboxError.missingProgram("socat", nextStep: "Install the package \"socat\".")
        }
        let start = ShimFrame.start(
            plan, driver: driver, controlGroups: controlGroups, input: input, lease: lease, keepsake: keepsake)
        return try await DedicatedThread.run {
            try ShimProcess.start(tools.shim, start: ShimFrame.bytes(start), folder: folder)
            switch try SandboxTask.find(in: folder) {
            case .running(let task), .ended(let task): return task
            case .lost, .nothing: throw SandboxError.lost
            }
        }
    }
}

/// A folder for a task that nobody shall find again; gone when nobody holds it.
private final class TaskFolder: Sendable {
    let path: String

    init() throws(SystemFailure) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((parent + "/pagewright-task-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure("making a folder in \(parent)", errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for name in ["shim.sock", "output", "result.new", "result", "shim.log"] { unlink(path + "/" + name) }
        rmdir(path)
    }
}
