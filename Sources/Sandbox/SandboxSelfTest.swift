import Glibc

/// Proves on this host that a sandbox holds: builds one and tries to break its walls from inside.
package struct SandboxSelfTest: Sendable {
    /// One wall, and whether it stood.
    package struct Check: Sendable, Equatable {
        package let name: String
        package let isPassed: Bool
        /// What was seen; empty when it passed.
        package let detail: String
    }

    /// Each line of the script prints the name of a check when the wall stood.
    private static let script = """
        [ "$(id -u)" = 1000 ] && [ "$(pwd)" = /site ] && echo identity
        touch /site/probe && rm /site/probe && echo workspace
        ! touch /usr/probe 2>/dev/null && ! touch /probe 2>/dev/null && ! touch /etc/probe 2>/dev/null && echo read-only
        [ ! -e /etc/shadow ] && [ ! -e /root ] && [ ! -e /var ] && echo hidden
        [ "$(grep -c : /proc/net/dev)" = 1 ] && grep -q lo: /proc/net/dev && echo network
        [ "$(ls -d /proc/[0-9]* | wc -l)" -lt 12 ] && echo processes
        [ "$(grep -c '^Seccomp:.*2$' /proc/self/status)" = 1 ] && echo seccomp
        grep -q '^NoNewPrivs:.*1$' /proc/self/status && grep -q '^CapEff:.*0000000000000000$' /proc/self/status && echo privileges
        ! /usr/bin/unshare -U /bin/true 2>/dev/null && ! /usr/bin/unshare -n /bin/true 2>/dev/null && echo namespaces
        [ "$(env | grep -vcE '^(HOME|PATH|LANG|TMPDIR|TERM|PWD|OLDPWD|SHLVL|_)=')" = 0 ] && echo environment
        [ ! -e /dev/mem ] && [ ! -e /dev/kmsg ] && [ ! -e /dev/net ] && [ ! -e /sys/kernel ] && echo devices
        ! (true >> /proc/sys/kernel/core_pattern) 2>/dev/null && ! (true >> /proc/sysrq-trigger) 2>/dev/null && echo kernel
        [ "$(ls /proc/self/fd | wc -l)" -le 5 ] && echo descriptors
        [ "$(ulimit -c)" = 0 ] && [ "$(ulimit -n)" -le 1024 ] && echo limits
        """

    package static let names = walls + ["cancelling"]

    private static let walls = [
        "identity", "workspace", "read-only", "hidden", "network", "processes", "seccomp", "privileges", "namespaces",
        "environment", "devices", "kernel", "descriptors", "limits",
    ]

    private let runner: SandboxRunner

    package init(runner: SandboxRunner) { self.runner = runner }

    /// Takes well under a second. Throws ``SandboxError`` when no sandbox can be built at all.
    ///
    /// - Parameter workspace: an empty folder that this process may write.
    package func run(workspace: String) async throws -> [Check] {
        let plan = SandboxPlan(
            workspace: workspace, command: ["/bin/sh", "-c", Self.script],
            limits: SandboxLimits(
                wallTime: .seconds(20), memoryInBytes: 512 << 20, processes: 32, outputInBytes: 65_536))
        let passed = LineCollector()
        let outcome = try await runner.run(plan) { output in
            if case .line(let line) = output { passed.add(line) }
        }
        let lines = Set(passed.lines)
        let walls = Self.walls.map { name in
            Check(
                name: name, isPassed: lines.contains(name),
                detail: lines.contains(name)
                    ? "" : "the wall \"\(name)\" did not stand (\(outcome.ending)) \(outcome.diagnostics)")
        }
        return walls + [try await cancels(workspace: workspace)]
    }

    /// Whether a program that ignores every signal is gone soon when it is cancelled.
    private func cancels(workspace: String) async throws -> Check {
        let plan = SandboxPlan(
            workspace: workspace,
            command: ["/bin/sh", "-c", "trap '' TERM INT HUP; (setsid sleep 60 &); echo ready; sleep 60"],
            limits: SandboxLimits(wallTime: .seconds(20), memoryInBytes: 512 << 20, processes: 32))
        let (ready, begun) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let runner = runner
        let outcome = try await withThrowingTaskGroup(of: SandboxOutcome.self) { group in
            group.addTask {
                defer { begun.finish() }
                return try await runner.run(plan) { if $0 == .line("ready") { begun.yield() } }
            }
            for await _ in ready { break }
            group.cancelAll()
            return try await group.next() ?? SandboxOutcome(ending: .exited(code: 0))
        }
        let time = outcome.use?.killTime ?? .zero
        let isPassed = outcome.ending == .cancelled && time < .seconds(2)
        return Check(
            name: "cancelling", isPassed: isPassed,
            detail: isPassed ? "" : "a program that was cancelled ended as \(outcome.ending) after \(time)")
    }
}
