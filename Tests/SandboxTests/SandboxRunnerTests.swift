import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Sandbox

/// Collects what a sandbox prints.
private final class Transcript: Sendable {
    private let state = Mutex<[SandboxOutput]>([])
    func add(_ output: SandboxOutput) { state.withLock { $0.append(output) } }
    var lines: [String] { state.withLock { $0.compactMap { if case .line(let line) = $0 { line } else { nil } } } }
}

/// With a control group where the host allows one, and without.
enum Enforcement: CaseIterable {
    case controlGroup, watched

    /// What is true on a host that allows no control group: root runs nothing at all, because nothing could limit its
    /// processes; everybody else is watched.
    static func expectFallback() throws {
        if getuid() == 0 {
            #expect(throws: SandboxError.self) { try SandboxRunner() }
        } else {
            #expect(try SandboxRunner().controlGroups == nil)
        }
    }

    /// `nil` when this host allows no control group.
    func makeRunner() throws -> SandboxRunner? {
        let tools = try SandboxTools.locate()
        switch self {
        case .watched: return SandboxRunner(tools: tools, controlGroups: nil)
        case .controlGroup:
            guard let parent = ControlGroupParent.detect() else { return nil }
            return SandboxRunner(tools: tools, controlGroups: parent)
        }
    }
}

@Suite(.serialized) struct SandboxRunnerTests {
    private let runner: SandboxRunner

    init() throws { runner = try SandboxRunner() }

    private func run(
        _ script: String, in folder: String, runner: SandboxRunner? = nil, input: String = "",
        limits: SandboxLimits = SandboxLimits(wallTime: .seconds(60)), change: (inout SandboxPlan) -> Void = { _ in }
    ) async throws -> (outcome: SandboxOutcome, lines: [String]) {
        let transcript = Transcript()
        var plan = SandboxPlan(workspace: folder, command: ["/bin/sh", "-c", script], limits: limits)
        change(&plan)
        let outcome = try await (runner ?? self.runner).run(plan, input: Array(input.utf8)) { transcript.add($0) }
        return (outcome, transcript.lines)
    }

    private func processes(containing marker: String) -> Int {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return folders.filter { Int($0) != nil }.filter {
            (FileManager.default.contents(atPath: "/proc/\($0)/cmdline") ?? Data()).range(of: Data(marker.utf8)) != nil
        }.count
    }

    @Test("A program reads its input, prints lines, writes its workspace, and its exit code comes through")
    func works() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, lines) = try await run(
                "cat > in.txt; echo one; echo two >&2; printf three; exit 7", in: folder, input: "hello")
            #expect(outcome.ending == .exited(code: 7))
            #expect(lines == ["one", "three"])
            #expect(outcome.diagnostics == "two")
            #expect(try String(contentsOfFile: folder + "/in.txt", encoding: .utf8) == "hello")
        }
    }

    @Test("Every wall of the self test stands")
    func selfTest() async throws {
        try await withTemporaryDirectory { folder in
            let checks = try await SandboxSelfTest(runner: runner).run(workspace: folder)
            #expect(checks.count == SandboxSelfTest.names.count)
            for check in checks { #expect(check.isPassed, "\(check.name): \(check.detail)") }
        }
    }

    @Test("There is no network: not another host, not a service of this one")
    func network() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, lines) = try await run(
                """
                perl -MSocket -e 'socket(S,AF_INET,SOCK_STREAM,0); print connect(S,pack_sockaddr_in(53,inet_aton("1.1.1.1")))?"open":"closed $!","\\n"'
                perl -MSocket -e 'socket(S,AF_INET,SOCK_STREAM,0); print connect(S,pack_sockaddr_in(22,inet_aton("127.0.0.1")))?"open":"closed","\\n"'
                perl -e 'print socket(S,40,1,0)?"vsock":"no vsock","\\n"'
                """, in: folder)
            #expect(outcome.ending == .exited(code: 0))
            #expect(lines == ["closed Network is unreachable", "closed", "no vsock"])
        }
    }

    @Test("Nothing of the host can be read: no shadow file, no state of ours, no other process")
    func secrets() async throws {
        try await withTemporaryDirectory { folder in
            let state = folder + "/state"
            let site = folder + "/site"
            for path in [state, site] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try Data("secret".utf8).write(to: URL(filePath: state + "/key.pem"))
            let (_, lines) = try await run(
                "cat /etc/shadow \(state)/key.pem ../state/key.pem /proc/1/environ /root/* 2>/dev/null; echo end; ls /",
                in: site)
            #expect(lines.first == "end")
            #expect(
                Set(lines.dropFirst()) == [
                    "bin", "dev", "etc", "home", "lib", "lib64", "proc", "sbin", "site", "tmp", "usr",
                ])
        }
    }

    @Test("Descriptors of ours are not inherited")
    func descriptors() async throws {
        try await withTemporaryDirectory { folder in
            let (_, lines) = try await run("ls /proc/self/fd | wc -l", in: folder)
            #expect(lines == ["4"], "0, 1, 2 and the folder that ls reads")
        }
    }

    @Test("Nothing outside of the workspace can be written, and private folders have a size")
    func writes() async throws {
        try await withTemporaryDirectory { folder in
            let site = folder + "/site"
            try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: true)
            let (_, lines) = try await run(
                """
                for f in /x /usr/x /etc/x /dev/x /proc/x ../x; do (echo x > $f) 2>/dev/null && echo "wrote $f"; done
                head -c 80000000 /dev/zero > /tmp/big 2>/dev/null || echo "tmp is full"
                head -c 80000000 /dev/zero > /home/agent/big 2>/dev/null || echo "home is full"
                head -c 80000000 /dev/zero > /dev/shm/big 2>/dev/null || echo "shm is full"
                """, in: site, limits: SandboxLimits(wallTime: .seconds(60), memoryInBytes: 1 << 30))
            #expect(lines == ["tmp is full", "home is full", "shm is full"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["site"])
        }
    }

    @Test("System calls that open doors to the kernel are refused")
    func systemCalls() async throws {
        try await withTemporaryDirectory { folder in
            #if arch(x86_64)
                let calls = [
                    ("mount", 165), ("unshare", 272), ("bpf", 321), ("keyctl", 250), ("io_uring", 425), ("ptrace", 101),
                ]
            #else
                let calls = [
                    ("mount", 40), ("unshare", 97), ("bpf", 280), ("keyctl", 219), ("io_uring", 425), ("ptrace", 117),
                ]
            #endif
            let script = calls.map {
                "perl -e '$r = syscall(\($0.1),0,0,0,0,0); print \"\($0.0) \", $r == -1 && $!{EPERM} ? \"refused\" : \"open $!\", \"\\n\"'"
            }
            let (_, lines) = try await run(script.joined(separator: "\n"), in: folder)
            #expect(lines == calls.map { "\($0.0) refused" })
        }
    }

    @Test("A fork bomb is stopped")
    func forkBomb() async throws {
        // By a control group, or for an ordinary user by the kernel's limit; see SandboxRunner.init.
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "bomb() { bomb | bomb & }; bomb; sleep 5; exit 1", in: folder,
                limits: SandboxLimits(wallTime: .seconds(60), processes: 40))
            if runner.controlGroups != nil {
                #expect(outcome.ending == .exceeded(.processes))
            } else {
                #expect(outcome.ending != .exited(code: 0))
                #expect(outcome.diagnostics.contains("fork"))
            }
        }
    }

    @Test("A disk that is nearly full ends the program")
    func diskFull() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "sleep 600", in: folder,
                limits: SandboxLimits(wallTime: .seconds(60), diskReserveInBytes: 1 << 60))
            #expect(outcome.ending == .exceeded(.diskFull))
        }
    }

    @Test("A program that eats memory is stopped", arguments: Enforcement.allCases)
    func memoryHog(enforcement: Enforcement) async throws {
        guard let runner = try enforcement.makeRunner() else { return try Enforcement.expectFallback() }
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "perl -e '$x .= \"x\" x 1000000 for 1..2000; sleep 600'", in: folder, runner: runner,
                limits: SandboxLimits(wallTime: .seconds(60), memoryInBytes: 100 << 20))
            #expect(outcome.ending != .exited(code: 0))
            if enforcement == .controlGroup {
                #expect(outcome.ending == .exceeded(.memory))
                let peak = try #require(outcome.use).peakMemoryInBytes
                #expect(peak > 90 << 20)
            }
        }
    }

    @Test("Many processes that eat memory together are stopped without a control group too")
    func memoryTogether() async throws {
        let runner = SandboxRunner(tools: try SandboxTools.locate(), controlGroups: nil)
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "for i in 1 2 3 4 5; do perl -e '$x = \"x\" x 40000000; sleep 600' & done; wait", in: folder,
                runner: runner, limits: SandboxLimits(wallTime: .seconds(60), memoryInBytes: 150 << 20))
            #expect(outcome.ending == .exceeded(.memory))
            let peak = try #require(outcome.use).peakMemoryInBytes
            #expect(peak > 150 << 20)
        }
    }

    @Test("A flood of output ends the program at the limit")
    func flood() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "yes", in: folder, limits: SandboxLimits(wallTime: .seconds(60), outputInBytes: 1 << 20))
            #expect(outcome.ending == .exceeded(.output))
        }
    }

    @Test("One line without an end costs bounded memory")
    func endlessLine() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, lines) = try await run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo next", in: folder)
            #expect(outcome.ending == .exited(code: 0))
            #expect(lines.map(\.utf8.count) == [LineSplitter.maximumLineLength, 4])
        }
    }

    @Test("Too many files end the program")
    func fileBomb() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "i=0; while :; do : > f$i; i=$((i+1)); done", in: folder,
                limits: SandboxLimits(wallTime: .seconds(60), workspaceFiles: 500))
            #expect(outcome.ending == .exceeded(.workspaceFiles))
        }
    }

    @Test("What lies in a folder whose rights were taken away counts too")
    func lockedFolder() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "mkdir d; chmod 300 d; for i in $(seq 40); do head -c 1000000 /dev/zero > d/f$i; done; sleep 60",
                in: folder, limits: SandboxLimits(wallTime: .seconds(60), workspaceInBytes: 20 << 20))
            #expect(outcome.ending == .exceeded(.workspaceSize))
        }
    }

    @Test("Too many bytes end the program, one large file and many small ones alike")
    func sizeBomb() async throws {
        try await withTemporaryDirectory { folder in
            let many = try await run(
                "i=0; while :; do head -c 1000000 /dev/zero > f$i; i=$((i+1)); done", in: folder,
                limits: SandboxLimits(wallTime: .seconds(60), workspaceInBytes: 20 << 20)
            ).outcome
            #expect(many.ending == .exceeded(.workspaceSize))
            let (_, lines) = try await run(
                "rm -f f*; trap '' XFSZ; head -c 50000000 /dev/zero > big 2>/dev/null || echo refused; stat -c %s big; rm big",
                in: folder,
                limits: SandboxLimits(wallTime: .seconds(60), fileSizeInBytes: 1 << 20))
            #expect(lines == ["refused", "1048576"])
        }
    }

    @Test("A folder nested beyond reason ends the program")
    func deepFolders() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "perl -e 'for (1..300) { mkdir \"d\"; chdir \"d\" } sleep 600'", in: folder)
            #expect(outcome.ending == .exceeded(.workspaceFiles))
        }
    }

    @Test("Time runs out for a program that hangs")
    func wallTime() async throws {
        try await withTemporaryDirectory { folder in
            let (outcome, _) = try await run(
                "sleep 600", in: folder, limits: SandboxLimits(wallTime: .milliseconds(500)))
            #expect(outcome.ending == .exceeded(.wallTime))
        }
    }

    @Test("Cancelling kills a whole tree that ignores signals, and nothing is left")
    func cancel() async throws {
        try await withTemporaryDirectory { folder in
            let marker = "61\(Int.random(in: 10_000...99_999))"
            let (ready, continuation) = AsyncStream.makeStream(of: Void.self)
            let plan = SandboxPlan(
                workspace: folder,
                command: [
                    "/bin/sh", "-c",
                    "trap '' TERM INT HUP; (setsid sleep \(marker) &) ; sleep \(marker) & echo ready; while :; do sleep \(marker); done",
                ])
            let runner = self.runner
            let outcome = try await withThrowingTaskGroup(of: SandboxOutcome.self) { group in
                group.addTask {
                    try await runner.run(plan) { if $0 == .line("ready") { continuation.yield() } }
                }
                for await _ in ready { break }
                #expect(processes(containing: marker) >= 1)
                group.cancelAll()
                return try await group.next()!
            }
            #expect(outcome.ending == .cancelled)
            #expect(processes(containing: marker) == 0)
        }
    }

    @Test("A task that was cancelled before runs nothing")
    func cancelledBefore() async throws {
        try await withTemporaryDirectory { folder in
            let runner = self.runner
            let plan = SandboxPlan(workspace: folder, command: ["/bin/sh", "-c", "sleep 600"])
            let task = Task { () async throws -> SandboxOutcome in
                withUnsafeCurrentTask { $0?.cancel() }
                return try await runner.run(plan)
            }
            let outcome = try await task.value
            #expect(outcome.ending == .cancelled)
        }
    }

    @Test("A daemon that left its parent dies with the program")
    func daemon() async throws {
        try await withTemporaryDirectory { folder in
            let marker = "62\(Int.random(in: 10_000...99_999))"
            let (outcome, lines) = try await run(
                "(setsid sh -c 'sleep \(marker) >/dev/null 2>&1 &' &); sleep 0.2; pgrep -f 'sleep \(marker)' >/dev/null && echo running",
                in: folder)
            #expect(outcome.ending == .exited(code: 0))
            #expect(lines == ["running"])
            #expect(processes(containing: marker) == 0)
        }
    }

    @Test("A program that is not there is a clear failure")
    func missingProgram() async throws {
        try await withTemporaryDirectory { folder in
            let outcome = try await runner.run(SandboxPlan(workspace: folder, command: ["/opt/engine/missing"]))
            guard case .exited(let code) = outcome.ending else { Issue.record("\(outcome)"); return }
            #expect(code != 0)
            #expect(outcome.diagnostics.contains("/opt/engine/missing"))
        }
    }

    @Test("A sandbox that cannot be built is an error and runs nothing")
    func cannotStart() async throws {
        try await withTemporaryDirectory { folder in
            await #expect {
                _ = try await runner.run(SandboxPlan(workspace: folder + "/missing", command: ["/bin/true"]))
            } throws: { error in
                if case SandboxError.cannotStart(let reason) = error { reason.contains("missing") } else { false }
            }
            let broken = SandboxRunner(tools: SandboxTools(bubblewrap: "/nowhere/bwrap"), controlGroups: nil)
            await #expect(throws: SandboxError.self) {
                _ = try await broken.run(SandboxPlan(workspace: folder, command: ["/bin/true"]))
            }
        }
    }

    /// Bubblewrap, but with another name for the machine inside.
    private struct Renamed: SandboxDriver {
        let inner: Bubblewrap
        var program: String { inner.program }
        var files: [[UInt8]] { inner.files }

        func arguments(for plan: SandboxPlan, limitsAddressSpace: Bool) -> [String] {
            var list = inner.arguments(for: plan, limitsAddressSpace: limitsAddressSpace)
            if let place = list.firstIndex(of: "--hostname") { list[place + 1] = "elsewhere" }
            return list
        }
    }

    @Test("Another driver builds the walls in bubblewrap's place, and the shim owns what runs behind them")
    func otherDriver() async throws {
        try await withTemporaryDirectory { folder in
            let other = SandboxRunner(
                tools: runner.tools, controlGroups: runner.controlGroups,
                driver: Renamed(inner: Bubblewrap(program: runner.tools.bubblewrap)))
            let outcome = try await other.run(
                SandboxPlan(
                    workspace: folder, command: ["/bin/sh", "-c", "cat /proc/sys/kernel/hostname > name; exit 3"]))
            #expect(outcome.ending == .exited(code: 3))
            #expect(try String(contentsOfFile: folder + "/name", encoding: .utf8) == "elsewhere\n")
        }
    }

    @Test("A service outside can be reached through the model's socket, and only there")
    func bridge() async throws {
        try await withTemporaryDirectory { folder in
            let sockets = folder + "/sockets"
            let site = folder + "/site"
            for path in [sockets, site] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            let service = Process()
            service.executableURL = URL(filePath: "/usr/bin/socat")
            service.arguments = ["UNIX-LISTEN:\(sockets)/model.sock,fork", "SYSTEM:echo from outside"]
            try service.run()
            defer { kill(service.processIdentifier, SIGKILL) }
            while !FileManager.default.fileExists(atPath: sockets + "/model.sock") {
                try await Task.sleep(for: .milliseconds(10))
            }
            let (outcome, lines) = try await run(
                "socat - TCP:127.0.0.1:8399; touch /run/model/x 2>/dev/null || echo read-only", in: site
            ) {
                $0.modelSocket = .init(folder: sockets)
            }
            #expect(outcome.ending == .exited(code: 0), "\(outcome)")
            #expect(lines == ["from outside", "read-only"])
        }
    }
}
