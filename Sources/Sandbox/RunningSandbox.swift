import Glibc

/// One sandbox from its start to its end. Everything happens on the thread that made it.
final class RunningSandbox {
    private static let checkInterval = Duration.milliseconds(200)
    /// How long a killed sandbox may take to be gone.
    private static let confirmationLimit = Duration.seconds(20)

    private let plan: SandboxPlan
    private let cancelSignal: CancelSignal
    private let onOutput: @Sendable (SandboxOutput) -> Void
    private let group: ControlGroup?
    private let clock = ContinuousClock()

    /// bubblewrap's outer process, our child.
    private let outer: pid_t
    private let outerDescriptor: OwnedDescriptor
    /// The first process inside: when it is gone, the kernel has ended all others before.
    private var innerDescriptor: OwnedDescriptor?
    private var gate: OwnedDescriptor?
    private let output: OutputPipe
    private let errors: OutputPipe
    private let status: OutputPipe

    private var statusText = ""
    private var outerHasEnded = false
    private var outerEndedAt: ContinuousClock.Instant?
    private var innerHasEnded = false
    private var ending: SandboxOutcome.Ending?
    private var killedAt: ContinuousClock.Instant?
    /// Why the program was not let begin.
    private var startFailure: (any Error)?
    private var outputInBytes: Int64 = 0
    private var diagnostics = DiagnosticTail()

    init(
        _ plan: SandboxPlan, tools: SandboxTools, controlGroups: ControlGroupParent?, input: [UInt8],
        cancelSignal: CancelSignal, onOutput: @escaping @Sendable (SandboxOutput) -> Void
    ) throws {
        self.plan = plan
        self.cancelSignal = cancelSignal
        self.onOutput = onOutput
        let output = try OwnedDescriptor.makePipe()
        let errors = try OwnedDescriptor.makePipe()
        let status = try OwnedDescriptor.makePipe()
        let gate = try OwnedDescriptor.makePipe()
        var descriptors = [
            OwnedDescriptor(try LinuxCall.makeMemoryFile(input)), output.write, errors.write, status.write, gate.read,
            OwnedDescriptor(try LinuxCall.makeMemoryFile(SeccompFilter.program())),
        ]
        for file in SandboxPlan.files {
            descriptors.append(OwnedDescriptor(try LinuxCall.makeMemoryFile(Array(file.text.utf8))))
        }
        let group = try controlGroups?.makeGroup(
            memoryInBytes: plan.limits.memoryInBytes,
            // Two are bubblewrap's own.
            processes: plan.limits.processes + 2)
        do {
            outer = try SpawnedProcess.start(
                tools.bubblewrap, arguments: plan.arguments(limitsAddressSpace: group == nil), descriptors: descriptors)
        } catch {
            group?.remove()
            throw error
        }
        self.group = group
        do {
            outerDescriptor = OwnedDescriptor(try LinuxCall.openProcess(outer))
        } catch {
            kill(outer, SIGKILL)
            waitpid(outer, nil, 0)
            group?.remove()
            throw error
        }
        self.gate = gate.write
        self.output = OutputPipe(output.read)
        self.errors = OutputPipe(errors.read)
        self.status = OutputPipe(status.read)
    }

    /// Returns when no process is left.
    func waitForEnd() throws -> SandboxOutcome {
        let deadline = clock.now + plan.limits.wallTime
        var nextCheck = clock.now + Self.checkInterval
        while !isOver {
            wait(until: min(nextCheck, killedAt == nil ? deadline : nextCheck))
            readStatus()
            readOutput()
            let now = clock.now
            if killedAt == nil {
                if isCancelled {
                    end(.cancelled)
                } else if now >= deadline {
                    end(.exceeded(.wallTime))
                } else if now >= nextCheck, innerDescriptor != nil, !innerHasEnded, let limit = findExcess() {
                    end(.exceeded(limit))
                }
            }
            if outerHasEnded, killedAt == nil, !isOver { abandon(at: now) }
            if let killedAt, now - killedAt > .seconds(1), !outerHasEnded {
                // Both processes of a sandbox that is being built are in one group.
                kill(-outer, SIGKILL)
            }
            if let killedAt, now - killedAt > Self.confirmationLimit {
                throw SandboxError.cannotConfirmEnd(process: outer)
            }
            // A look at a large folder takes its time; it shall take a small part of ours.
            if now >= nextCheck { nextCheck = clock.now + max(Self.checkInterval, (clock.now - now) * 10) }
        }
        output.splitter.finish { onOutput(.line($0)) }
        errors.splitter.finish { diagnose($0) }
        return try outcome()
    }

    private var isOver: Bool {
        outerHasEnded && output.isClosed && errors.isClosed && status.isClosed
            && (innerDescriptor == nil || innerHasEnded)
    }

    private func outcome() throws -> SandboxOutcome {
        let ranOutOfMemory = group?.ranOutOfMemory ?? false
        let ranOutOfProcesses = group?.ranOutOfProcesses ?? false
        if let group, !group.remove() { throw SandboxError.cannotConfirmEnd(process: outer) }
        if let startFailure { throw startFailure }
        let code = exitCode
        guard var ending = ending ?? code.map({ .exited(code: $0) }) else {
            throw SandboxError.cannotStart(diagnostics.text.isEmpty ? "bwrap gave no reason" : diagnostics.text)
        }
        if case .exited(let code) = ending, code != 0 {
            if diagnostics.text.hasPrefix("bwrap: ") && outputInBytes == Int64(diagnostics.text.utf8.count + 1) {
                throw SandboxError.cannotStart(diagnostics.text)
            }
            if ranOutOfMemory {
                ending = .exceeded(.memory)
            } else if ranOutOfProcesses {
                ending = .exceeded(.processes)
            }
        }
        return SandboxOutcome(ending: ending, diagnostics: diagnostics.text, outputInBytes: outputInBytes)
    }

    // MARK: Waiting

    private func wait(until instant: ContinuousClock.Instant) {
        var polled = [output, errors, status].map { $0.pollDescriptor }
        polled.append(pollfd(fd: outerHasEnded ? -1 : outerDescriptor.number, events: Int16(POLLIN), revents: 0))
        polled.append(
            pollfd(fd: innerHasEnded ? -1 : innerDescriptor?.number ?? -1, events: Int16(POLLIN), revents: 0))
        polled.append(pollfd(fd: killedAt == nil ? cancelSignal.descriptor : -1, events: Int16(POLLIN), revents: 0))
        let left = clock.now.duration(to: instant).components
        let milliseconds = max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
        guard poll(&polled, nfds_t(polled.count), Int32(clamping: milliseconds)) > 0 else { return }
        if polled[3].revents != 0, waitpid(outer, nil, WNOHANG) == outer { outerHasEnded = true }
        if polled[4].revents != 0 { innerHasEnded = true }
    }

    private var isCancelled: Bool {
        var polled = pollfd(fd: cancelSignal.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    private func end(_ ending: SandboxOutcome.Ending) {
        self.ending = ending
        killedAt = clock.now
        // While the sandbox is built nobody knows its first process yet; it dies as soon as it is known. Killing the
        // outer process now could leave the inner one waiting for it for ever.
        if let innerDescriptor { try? LinuxCall.signal(process: innerDescriptor.number, SIGKILL) }
    }

    /// Somebody killed the outer process. The inner one, if it was being built, would wait for it for ever, and keep the
    /// pipes open; it is still in the outer one's group.
    private func abandon(at now: ContinuousClock.Instant) {
        let since = outerEndedAt ?? now
        outerEndedAt = since
        guard now - since > .seconds(1) else { return }
        killedAt = now
        if let innerDescriptor { try? LinuxCall.signal(process: innerDescriptor.number, SIGKILL) }
        kill(-outer, SIGKILL)
    }

    // MARK: What bubblewrap says

    private func readStatus() {
        status.read { statusText += String(decoding: $0, as: UTF8.self) }
        guard innerDescriptor == nil, let gate, let process = number(after: "\"child-pid\":"),
            let inner = try? LinuxCall.openProcess(pid_t(process))
        else { return }
        innerDescriptor = OwnedDescriptor(inner)
        guard killedAt == nil else {
            try? LinuxCall.signal(process: inner, SIGKILL)
            return
        }
        // Nothing has run inside yet: bubblewrap waits for the byte.
        do {
            try group?.add(pid_t(process))
            var byte: UInt8 = 1
            _ = write(gate.number, &byte, 1)
            self.gate = nil
        } catch {
            // It may have died of what bubblewrap will tell; then that is the reason.
            var polled = pollfd(fd: inner, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, 0) == 0 else { return }
            startFailure = error
            try? LinuxCall.signal(process: inner, SIGKILL)
            killedAt = clock.now
        }
    }

    private var exitCode: Int? { number(after: "\"exit-code\":") }

    /// Reads a number out of a complete object of the status text.
    private func number(after key: String) -> Int? {
        for line in statusText.split(separator: "\n") where line.contains("}") {
            guard let range = line.firstRange(of: key) else { continue }
            let digits = line[range.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }
            if let number = Int(digits) { return number }
        }
        return nil
    }

    // MARK: What the program says

    private func readOutput() {
        output.read { bytes in
            count(bytes.count)
            output.splitter.add(bytes) { onOutput(.line($0)) }
        }
        errors.read { bytes in
            count(bytes.count)
            errors.splitter.add(bytes) { diagnose($0) }
        }
    }

    private func count(_ bytes: Int) {
        outputInBytes += Int64(bytes)
        if outputInBytes > plan.limits.outputInBytes && killedAt == nil { end(.exceeded(.output)) }
    }

    private func diagnose(_ line: String) {
        diagnostics.add(line)
        onOutput(.diagnostic(line))
    }

    // MARK: What it uses

    private func findExcess() -> SandboxOutcome.Limit? {
        let limits = plan.limits
        if group == nil {
            let tree = ProcessTree.measure(root: outer)
            if tree.processes > limits.processes + 2 { return .processes }
            if tree.memoryInBytes > limits.memoryInBytes { return .memory }
        }
        var usage = FolderUsage()
        for folder in [plan.workspace] + plan.writableBinds.map(\.source) {
            usage.add(folder, limit: limits.workspaceFiles) { isCancelled }
        }
        if usage.entries > limits.workspaceFiles { return .workspaceFiles }
        if usage.sizeInBytes > limits.workspaceInBytes { return .workspaceSize }
        var disk = statvfs()
        if statvfs(plan.workspace, &disk) == 0, Int64(disk.f_bavail) * Int64(disk.f_frsize) < limits.diskReserveInBytes
        {
            return .diskFull
        }
        return nil
    }
}
