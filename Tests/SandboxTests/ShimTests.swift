import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Sandbox

/// Collects what a task prints, and lets a test wait for a line.
final class TaskOutput: Sendable {
    private let state = Mutex<(lines: [String], diagnostics: [String], position: Int64)>(([], [], 0))

    func add(_ output: SandboxOutput, _ position: Int64) {
        state.withLock { state in
            switch output {
            case .line(let line): state.lines.append(line)
            case .diagnostic(let line): state.diagnostics.append(line)
            }
            state.position = position
        }
    }

    var lines: [String] { state.withLock { $0.lines } }
    var diagnostics: [String] { state.withLock { $0.diagnostics } }
    var position: Int64 { state.withLock { $0.position } }
}

/// A folder with a workspace and a task's folder in it.
struct TaskBench {
    let folder: String
    let runner: SandboxRunner
    var task: String { folder + "/task" }

    static func with(
        runner: SandboxRunner? = nil, _ body: (TaskBench) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            for name in ["site", "task"] {
                try FileManager.default.createDirectory(
                    atPath: folder + "/" + name, withIntermediateDirectories: true)
            }
            let bench = TaskBench(folder: folder, runner: try runner ?? SandboxRunner())
            do {
                try await body(bench)
            } catch {
                await bench.endWhatRuns()
                throw error
            }
            await bench.endWhatRuns()
        }
    }

    /// A test that failed leaves nothing running.
    private func endWhatRuns() async {
        guard case .running(let left)? = try? SandboxTask.find(in: task) else { return }
        left.cancel()
        _ = try? await Wait.until("the end of a task that was left") { access(task + "/result", F_OK) == 0 }
    }

    func plan(_ script: String, limits: SandboxLimits = SandboxLimits(wallTime: .seconds(60))) -> SandboxPlan {
        SandboxPlan(workspace: folder + "/site", command: ["/bin/sh", "-c", script], limits: limits)
    }

    func start(
        _ script: String, lease: Duration = .seconds(60), keepsake: [UInt8] = [],
        limits: SandboxLimits = SandboxLimits(wallTime: .seconds(60))
    ) async throws -> SandboxTask {
        try await runner.start(plan(script, limits: limits), in: task, lease: lease, keepsake: keepsake)
    }

    /// As the next agent would find it.
    func find() throws -> SandboxTask {
        switch try SandboxTask.find(in: task) {
        case .running(let task), .ended(let task): return task
        case .lost, .nothing: throw TestFailure("there is no task in \(task)")
        }
    }
}

/// Processes and files of others send no event that could be awaited.
enum Wait {
    static func until(_ what: String, _ isMet: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !isMet() {
            guard ContinuousClock.now < deadline else { throw TestFailure("waited too long for \(what)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    static func processes(containing marker: String) -> Int {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return folders.filter { Int($0) != nil }.filter {
            (FileManager.default.contents(atPath: "/proc/\($0)/cmdline") ?? Data()).range(of: Data(marker.utf8)) != nil
        }.count
    }
}

/// The program that owns one task, and what finds it again.
@Suite(.serialized) struct ShimTests {
    @Test("A task that nobody watches goes on, and whoever comes later gets all that it printed and how it ended")
    func unwatched() async throws {
        try await TaskBench.with { bench in
            var first: SandboxTask? = try await bench.start(
                "echo one; sleep 0.5; echo two; echo bad >&2; echo x > made; exit 5", keepsake: Array("secret".utf8))
            #expect(first?.keepsake == Array("secret".utf8))
            first = nil
            let again = try bench.find()
            #expect(again.keepsake == Array("secret".utf8))
            let output = TaskOutput()
            let outcome = try await again.waitForEnd { output.add($0, $1) }
            #expect(outcome.ending == .exited(code: 5))
            #expect(outcome.diagnostics == "bad")
            #expect(output.lines == ["one", "two"])
            #expect(try String(contentsOfFile: bench.folder + "/site/made", encoding: .utf8) == "x\n")
            // Once more, from the files alone.
            let last = try bench.find()
            #expect(last.process == 0 && last.keepsake.isEmpty)
            let repeated = TaskOutput()
            let ending = try await last.waitForEnd { repeated.add($0, $1) }
            #expect(ending == outcome)
            #expect(repeated.lines == output.lines && repeated.position == output.position)
        }
    }

    @Test("Two who watch one task see the same")
    func twoWatchers() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.start("for i in 1 2 3 4 5; do echo $i; sleep 0.1; done")
            let other = try bench.find()
            let (one, two) = (TaskOutput(), TaskOutput())
            async let first = task.waitForEnd { one.add($0, $1) }
            async let second = other.waitForEnd { two.add($0, $1) }
            let outcomes = try await [first, second]
            #expect(outcomes[0] == outcomes[1])
            #expect(one.lines == ["1", "2", "3", "4", "5"] && two.lines == one.lines)
        }
    }

    @Test("Without a renewal a task ends, with all that it started")
    func leaseExpires() async throws {
        try await TaskBench.with { bench in
            let marker = "64\(Int.random(in: 10_000...99_999))"
            let task = try await bench.start(
                "trap '' TERM HUP; (setsid sleep \(marker) &); sleep \(marker)", lease: .milliseconds(700))
            let outcome = try await task.waitForEnd { _, _ in }
            #expect(outcome.ending == .cancelled)
            #expect(Wait.processes(containing: marker) == 0)
        }
    }

    @Test("Renewals keep a task alive beyond its first lease")
    func renewed() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.start("sleep 3; echo alive", lease: .seconds(1))
            task.renew(for: .seconds(60))
            let output = TaskOutput()
            let outcome = try await task.waitForEnd { output.add($0, $1) }
            #expect(outcome.ending == .exited(code: 0))
            #expect(output.lines == ["alive"])
        }
    }

    @Test("A cancelled task is gone within two seconds, whatever it ignores, and says how long that took")
    func cancel() async throws {
        try await TaskBench.with { bench in
            let marker = "65\(Int.random(in: 10_000...99_999))"
            let task = try await bench.start(
                "trap '' TERM INT HUP; (setsid sleep \(marker) &); echo ready; while :; do sleep \(marker); done")
            let output = TaskOutput()
            async let outcome = task.waitForEnd { output.add($0, $1) }
            try await Wait.until("the task to begin") { output.lines == ["ready"] }
            try bench.find().cancel()
            let ended = try await outcome
            #expect(ended.ending == .cancelled)
            let use = try #require(ended.use)
            // By the shim's own clock, from the decision to the proof that nothing is left: no test's load is in it.
            #expect(use.killTime > .zero && use.killTime < .seconds(2))
            #expect(Wait.processes(containing: marker) == 0)
        }
    }

    @Test("A waiter that leaves does not take the task with it")
    func leave() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.start("echo begun; sleep 1; echo done")
            let output = TaskOutput()
            let waiter = Task { try await task.waitForEnd(keepsRunning: { true }) { output.add($0, $1) } }
            try await Wait.until("the first line") { output.lines == ["begun"] }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiter.value }
            let later = TaskOutput()
            #expect(try await bench.find().waitForEnd { later.add($0, $1) }.ending == .exited(code: 0))
            #expect(later.lines == ["begun", "done"])
        }
    }

    @Test("A shim that is killed takes its sandbox with it, and there is no result to be believed")
    func killedShim() async throws {
        try await TaskBench.with { bench in
            let marker = "66\(Int.random(in: 10_000...99_999))"
            let task = try await bench.start("(setsid sleep \(marker) &); echo ready; sleep \(marker)")
            let output = TaskOutput()
            let waiter = Task { try await task.waitForEnd { output.add($0, $1) } }
            try await Wait.until("the task to begin") { output.lines == ["ready"] }
            kill(task.process, SIGKILL)
            await #expect(throws: SandboxError.lost) { _ = try await waiter.value }
            try await Wait.until("the sandbox to be gone") { Wait.processes(containing: marker) == 0 }
            guard case .lost = try SandboxTask.find(in: bench.task) else {
                Issue.record("a task without a shim and a result is lost")
                return
            }
        }
    }

    @Test("Output over the log's limit is counted, and its place is marked")
    func gap() async throws {
        try await TaskBench.with { bench in
            var limits = SandboxLimits(wallTime: .seconds(60))
            limits.logInBytes = 100_000
            let task = try await bench.start(
                "echo first; head -c 300000 /dev/zero | tr '\\0' x; echo; sleep 0.3; echo last", limits: limits)
            let output = TaskOutput()
            let outcome = try await task.waitForEnd { output.add($0, $1) }
            #expect(outcome.ending == .exited(code: 0))
            #expect(outcome.outputInBytes == 300_012)
            #expect(output.lines.first == "first")
            #expect(output.diagnostics.contains { $0.hasSuffix("bytes of the output were dropped here]") })
            let size = try FileManager.default.attributesOfItem(atPath: bench.task + "/output")[.size] as? Int
            #expect((size ?? .max) <= 100_000)
        }
    }

    @Test("Every record has its time, and times do not go back")
    func times() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.start("for i in 1 2 3; do echo $i; sleep 0.1; done")
            _ = try await task.waitForEnd { _, _ in }
            let bytes = try Data(contentsOf: URL(filePath: bench.task + "/output"))
            var (place, times) = (0, [UInt64]())
            while place < bytes.count {
                let size = (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
                let record = try ShimFrame.LogRecord(serializedBytes: Array(bytes[(place + 4)..<(place + 4 + size)]))
                times.append(record.atUs)
                place += 4 + size
            }
            #expect(times.count >= 3)
            #expect(times == times.sorted() && times[0] > 0)
        }
    }

    @Test("A shim costs at most two megabytes, also when it was given two to hand on")
    func memory() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.runner.start(
                bench.plan("sleep 600"), input: [UInt8](repeating: 1, count: 2 << 20), in: bench.task,
                lease: .seconds(60))
            let status = try String(contentsOfFile: "/proc/\(task.process)/status", encoding: .utf8)
            let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            let kilobytes = try #require(resident?.split(separator: " ").compactMap { Int($0) }.first)
            #expect(kilobytes <= 2048, "\(status)")
            task.cancel()
            _ = try await task.waitForEnd { _, _ in }
        }
    }

    @Test("What a task used is said: time, processor, memory")
    func use() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.start("perl -e '$x = \"x\" x 30000000; $i++ while $i < 3000000'; sleep 0.2")
            let use = try #require(try await task.waitForEnd { _, _ in }.use)
            #expect(use.wallTime >= .milliseconds(200))
            #expect(use.processorTime > .zero)
            #expect(use.peakMemoryInBytes > 25 << 20)
            #expect(use.killTime == .zero)
        }
    }

    @Test("Whoever says something else than a request is hung up on, and the task goes on")
    func garbage() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.start("sleep 1; echo fine")
            for bytes in [[UInt8](repeating: 0xff, count: 300), [UInt8](repeating: 0, count: 4000), [0x0a, 0x7f]] {
                try Stranger.say(bytes, to: bench.task)
            }
            let output = TaskOutput()
            #expect(try await task.waitForEnd { output.add($0, $1) }.ending == .exited(code: 0))
            #expect(output.lines == ["fine"])
        }
    }

    @Test(
        "A start message that makes no sense starts nothing and says why",
        arguments: [[], [0xff, 0xff], Array("hello".utf8), [0x0a, 0x02, 0x2f]] as [[UInt8]])
    func nonsense(start: [UInt8]) async throws {
        try await TaskBench.with { bench in
            #expect(throws: SandboxError.self) {
                try ShimProcess.start(bench.runner.tools.shim, start: start, folder: bench.task)
            }
            guard case .nothing = try SandboxTask.find(in: bench.task) else {
                Issue.record("nothing was started")
                return
            }
        }
    }

    @Test("A folder takes one task, and a second one is refused")
    func second() async throws {
        try await TaskBench.with { bench in
            let task = try await bench.start("sleep 600")
            await #expect(throws: SandboxError.self) { _ = try await bench.start("true") }
            task.cancel()
            #expect(try await task.waitForEnd { _, _ in }.ending == .cancelled)
        }
    }
}

/// Speaks to a shim without being its agent.
enum Stranger {
    static func say(_ bytes: [UInt8], to folder: String) throws {
        let number = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        defer { close(number) }
        let place = open(folder, O_RDONLY | O_DIRECTORY)
        defer { close(place) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(place)/shim.sock".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw TestFailure("cannot connect: \(String(cString: strerror(errno)))") }
        _ = send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
