import Dispatch
import Glibc
package import Logging
import Subprocess
import SystemPackage

/// Keeps one nginx running, answering, and with the configuration that it should have.
///
/// Sites are none of its business: they come and go in the host farm without it (see ``NginxConfiguration``).
package actor NginxController {
    private nonisolated let executor = QueueExecutor(label: "pagewright.nginx")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package nonisolated let settings: NginxSettings
    private let logger: Logger
    private let files: NginxDirectory
    private let processes: NginxProcesses
    private var configuration: NginxConfiguration
    /// What an agent before this one left for the machine's nginx.
    private var includeFound: String?
    private var program: NginxProgram?
    private var isStopping = false
    private var isApplying = false
    private var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    private var nextWaiter: UInt64 = 0
    package private(set) var status = NginxStatus()

    /// Starts nothing; see ``run()``.
    package init(settings: NginxSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
        files = NginxDirectory(path: settings.directory)
        processes = NginxProcesses(directory: files.canonicalPath)
        configuration = NginxConfiguration(
            domains: settings.domains, pages: files.pages, listen: settings.listen, workers: settings.workers,
            generation: 1, controlToken: Self.makeToken(), visitorRate: settings.visitorRate)
    }

    private static func makeToken() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    // MARK: Running

    /// Runs until its task is cancelled or ``stop()`` is called; an nginx of ours has ended by then. Throws
    /// ``NginxError`` when the first start fails; from then on it starts nginx again whenever it ends.
    package func run() async throws {
        do {
            switch settings.mode {
            case .child: try await runChild()
            case .system(let include, let pidFile, _): try await attach(include: include, pidFile: pidFile)
            }
        } catch {
            if let error = error as? NginxError { status.problem = error }
            resumeWaiters(throwing: error)
            throw error
        }
        resumeWaiters(throwing: CancellationError())
    }

    /// Waits until nginx answers with the configuration in force. Throws what keeps it from that, after `limit` at the
    /// latest.
    package func waitUntilAnswering(atMost limit: Duration = .seconds(15)) async throws {
        if status.isAnswering { return }
        nextWaiter += 1
        let waiter = nextWaiter
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.wait(as: waiter) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw await self.status.problem
                    ?? NginxError(.noAnswer, "nginx does not answer", nextStep: "Look into \(self.files.log).")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func wait(as waiter: UInt64) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else if status.isAnswering {
                    continuation.resume()
                } else {
                    waiters[waiter] = continuation
                }
            }
        } onCancel: {
            Task { await self.cancel(waiter) }
        }
    }

    private func cancel(_ waiter: UInt64) {
        waiters.removeValue(forKey: waiter)?.resume(throwing: CancellationError())
    }

    private func resumeWaiters(throwing error: (any Error)? = nil) {
        let resumed = waiters.values
        waiters = [:]
        for waiter in resumed {
            if let error { waiter.resume(throwing: error) } else { waiter.resume() }
        }
    }

    /// Lets nginx finish what it is sending and ends it; ``run()`` returns then. The machine's own nginx stays.
    package func stop() {
        isStopping = true
        if case .child = settings.mode, let process = status.processID { kill(process, SIGQUIT) }
    }

    /// Asks nginx whether it answers, and keeps its log from growing without end.
    package func check() {
        files.trimLog()
        guard status.processID != nil || settings.mode != .child else { return }
        let answers = answeringGeneration(within: .seconds(1)) == configuration.generation
        if answers != status.isAnswering { logger.warning("nginx changed", metadata: ["nginx.answers": "\(answers)"]) }
        status.isAnswering = answers
        status.problem =
            answers
            ? nil
            : NginxError(
                .noAnswer, "nginx does not answer on \(settings.listen[0].reachable)",
                nextStep: "Look into \(files.log).")
    }

    // MARK: A child of ours

    private func runChild() async throws {
        let program = try NginxProgram.locate(settings.executable)
        self.program = program
        try files.prepare()
        let leftBehind = await processes.stop()
        if leftBehind > 0 {
            logger.notice(
                "Stopped an nginx that an earlier agent left behind", metadata: ["nginx.processes": "\(leftBehind)"])
        }
        configuration.openFiles = NginxDirectory.openFileLimit()
        configuration.user = files.workerUser(logger: logger)
        status.workerUser = configuration.user.flatMap { $0.split(separator: " ").first.map(String.init) }
        try files.write(configuration.rendered, to: NginxDirectory.configurationName)

        var backOff = Duration.milliseconds(250)
        while !isStopping, !Task.isCancelled {
            let start = ContinuousClock.now
            do {
                try checkPorts()
                try await program.test(
                    files.canonicalPath, file: NginxDirectory.configurationName, listen: settings.listen)
                try await launch(program)
            } catch let error as NginxError {
                if status.generation == 0 { throw error }
                status.problem = error
            } catch  where Task.isCancelled {
                break
            }
            status.processID = nil
            status.isAnswering = false
            // A master that was killed leaves workers that hold the port.
            _ = await processes.stop(patience: .seconds(2))
            if isStopping || Task.isCancelled { break }
            if start.duration(to: .now) > .seconds(30) { backOff = .milliseconds(250) }
            logger.error(
                "nginx ended; starting it again",
                metadata: ["problem": "\(status.problem.map(\.description) ?? "none")", "after": "\(backOff)"])
            try? await Task.sleep(for: backOff)
            backOff = min(backOff * 2, .seconds(30))
            status.restarts += 1
        }
        logger.notice("nginx has ended")
    }

    /// Returns when the process has ended.
    private func launch(_ program: NginxProgram) async throws {
        let logSize = files.logSize()
        do {
            let result = try await program.launch(in: files.canonicalPath) { process in
                try await self.launched(process)
            }
            guard !isStopping, !Task.isCancelled else { return }
            status.problem = NginxError(
                .ended, "nginx ended on its own (\(result))", nextStep: "Look into \(files.log).")
        } catch let error as NginxError {
            let said = files.log(from: logSize)
            throw NginxProgram.refusal(said, listen: settings.listen) ?? error
        }
    }

    private func launched(_ process: pid_t) async throws {
        status.processID = process
        let deadline = ContinuousClock.now + .seconds(8)
        while answeringGeneration(within: .milliseconds(500)) != configuration.generation {
            guard processes.isAlive(process) else {
                throw NginxError(.ended, "nginx ended as soon as it was started", nextStep: "Look into \(files.log).")
            }
            guard ContinuousClock.now < deadline else {
                throw NginxError(
                    .noAnswer, "nginx does not answer after its start", nextStep: "Look into \(files.log).")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        status.generation = configuration.generation
        answered()
        logger.notice(
            "nginx answers",
            metadata: ["nginx.pid": "\(process)", "nginx.listen": "\(settings.listen.map(\.description))"])
    }

    private func answered() {
        status.isAnswering = true
        status.problem = nil
        resumeWaiters()
    }

    private func checkPorts() throws {
        for address in settings.listen {
            switch address.bindingError() {
            case 0: break
            case EADDRINUSE: throw NginxError.portTaken(address)
            default: throw NginxError.portNotPermitted(address)
            }
        }
    }

    // MARK: The machine's own nginx

    private func attach(include: String, pidFile: String) async throws {
        program = try NginxProgram.locate(settings.executable)
        try files.prepare()
        includeFound = NginxDirectory.text(of: include)
        // It may be on its way up.
        while !isStopping, !Task.isCancelled {
            status.processID = NginxDirectory.processID(in: pidFile)
            if status.processID != nil { break }
            status.problem = Self.doesNotRun
            try? await Task.sleep(for: .milliseconds(500))
        }
        guard !isStopping, !Task.isCancelled else { return }
        if !adopt() { try await apply { _ in } }
        while !isStopping, !Task.isCancelled {
            status.processID = NginxDirectory.processID(in: pidFile)
            check()
            try? await Task.sleep(for: .seconds(5))
        }
    }

    /// Takes over what an agent before this one put in force, when that is what this one would: nginx then need not
    /// reload because an agent was restarted.
    private func adopt() -> Bool {
        guard let candidate = includeFound.flatMap({ configuration.asFound(in: $0) }),
            answeringGeneration(of: candidate) == candidate.generation
        else { return false }
        configuration = candidate
        status.generation = candidate.generation
        answered()
        logger.info("nginx had the right configuration already")
        return true
    }

    // MARK: Another configuration

    /// Puts a changed configuration in force, or throws and leaves the one that was: written, tested, reloaded, and
    /// seen to answer; when any of that fails the last good one comes back.
    package func apply(_ change: (inout NginxConfiguration) -> Void) async throws {
        guard !isApplying, let program else {
            throw NginxError(.noAnswer, "nginx is being started or changed", nextStep: "Try again in a moment.")
        }
        isApplying = true
        defer { isApplying = false }
        var candidate = configuration
        candidate.generation += 1
        change(&candidate)
        let lastGood = configuration
        do {
            try await install(candidate, with: program)
            configuration = candidate
            status.generation = candidate.generation
            answered()
        } catch {
            configuration = lastGood
            if status.generation > 0 { try? await install(lastGood, with: program) } else { restoreInclude() }
            throw error
        }
    }

    private func install(_ candidate: NginxConfiguration, with program: NginxProgram) async throws {
        guard let process = status.processID else { throw Self.doesNotRun }
        switch settings.mode {
        case .child:
            let trial = NginxDirectory.configurationName + ".trial"
            try files.write(candidate.rendered, to: trial)
            try await program.test(files.canonicalPath, file: trial, listen: settings.listen)
            try files.write(candidate.rendered, to: NginxDirectory.configurationName)
        case .system(let include, _, let file):
            try NginxDirectory.replace(include, with: candidate.renderedInclude)
            try await program.testMachine(file, listen: settings.listen)
        }
        guard kill(process, SIGHUP) == 0 else {
            throw NginxError(
                .noAnswer, "cannot tell nginx (process \(process)) to reload: \(String(cString: strerror(errno)))",
                nextStep: "Let the agent run as a user that may signal nginx.")
        }
        status.reloads += 1
        let deadline = ContinuousClock.now + .seconds(8)
        var seen = 0
        while seen < 4 {
            seen = answeringGeneration(within: .milliseconds(500), of: candidate) == candidate.generation ? seen + 1 : 0
            guard ContinuousClock.now < deadline else {
                throw NginxError(
                    .noAnswer, "nginx did not take the new configuration", nextStep: "Look into its error log.")
            }
            if seen == 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    private static let doesNotRun = NginxError(
        .noAnswer, "nginx does not run",
        nextStep: "Start it, for example with: systemctl start pagewright-nginx, or systemctl start nginx.")

    /// Puts back what was there before the first configuration of this agent, which came to nothing.
    private func restoreInclude() {
        guard case .system(let include, _, _) = settings.mode else { return }
        if let includeFound {
            try? NginxDirectory.replace(include, with: includeFound)
        } else {
            unlink(include)
        }
        if let process = status.processID { kill(process, SIGHUP) }
    }

    /// The generation that a new connection meets; `nil` when there is no proper answer.
    private func answeringGeneration(
        within timeout: Duration = .seconds(1), of other: NginxConfiguration? = nil
    ) -> Int? {
        let configuration = other ?? self.configuration
        let request = LoopbackRequest(
            to: configuration.listen[0].reachable, host: NginxConfiguration.controlHost,
            path: "/\(configuration.controlToken)", method: "GET", timeout: timeout)
        guard let answer = try? request.perform(), answer.status == 200 else { return nil }
        return answer.text.split(separator: " ").first.flatMap { Int($0) }
    }
}
