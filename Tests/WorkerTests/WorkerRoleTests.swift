import AgentCore
import Domain
import Engines
import Foundation
import Sandbox
import TestSupport
import Testing

@testable import Worker

@Suite(.serialized) struct WorkerRoleTests {
    @Test("An edit becomes a delta; only what is missing moves, and nothing is left behind")
    func edit() async throws {
        try await WorkerFixture.with { worker in
            let completion = await worker.run(
                "echo 30; echo '<h1>Bonjour</h1>' > index.html; rm style.css; echo new > new.txt; echo 90; echo I did it"
            )
            let changes = try #require(completion.changes)
            #expect(changes.upserts.map(\.path.text) == ["index.html", "new.txt"])
            #expect(changes.removals.map(\.text) == ["style.css"])
            #expect(completion.summary == "I did it")
            let target = try changes.applied(to: worker.base)
            guard case .succeeded(_, let digest) = completion.outcome else {
                Issue.record("\(completion.outcome)")
                return
            }
            #expect(target.digest == digest)
            #expect(worker.transfer.moved.fetched.count == 3)
            #expect(Set(worker.transfer.moved.uploaded) == Set(changes.upserts.map(\.digest)))
            #expect(try await worker.transfer.store.missing(among: target.entries.map(\.digest)).isEmpty)
            await worker.ledger.wait { messages, _ in messages.last == .credit(slots: 2) }
            #expect(await worker.leftovers.isEmpty)
            #expect(await worker.role.leases().isEmpty)
            let percents = worker.ledger.percents
            #expect(percents == percents.sorted() && percents.last == 98)
            #expect(worker.ledger.log.contains("I did it"))

            // The next one fetches nothing.
            _ = await worker.run("echo x > index.html")
            #expect(worker.transfer.moved.fetched.count == 3)
        }
    }

    @Test("An engine that says it is done and changed nothing has failed, in its own words")
    func nothingChanged() async throws {
        try await WorkerFixture.with { worker in
            let completion = await worker.run("touch index.html; chmod 600 style.css; echo All done")
            #expect(
                completion.failure
                    == JobFailure(
                        kind: .task, code: "nothing-changed", message: "Nothing was changed. The engine said: All done")
            )
            #expect(worker.transfer.moved.uploaded.isEmpty)
        }
    }

    @Test("The real built-in editor edits a site through the agent's own program")
    func builtin() async throws {
        let engine = BuiltinEngine(program: Agent.path)
        try await WorkerFixture.with(
            engines: [engine],
            files: [
                "index.html":
                    "<!doctype html><html lang=\"en\"><head><title>Hi</title></head><body><h1>Hello</h1></body></html>\n"
            ]
        ) { worker in
            let completion = await worker.run("Change the headline to \"Fresh bread daily\"", engine: .builtin)
            #expect(completion.changes?.upserts.map(\.path.text) == ["index.html"], "\(completion)")
            let refused = await worker.run("Write me an opera", engine: .builtin)
            #expect(refused.failure?.kind == .task)
            #expect(refused.failure?.code == "engine-refused", "\(refused)")
        }
    }

    @Test(
        "What cannot be part of a site is refused by name",
        arguments: [
            ("ln -s /etc/passwd link.html", "file-type", "link.html"), ("mkfifo pipe", "file-type", "pipe"),
            ("rm -r pages; ln -s / pages", "file-type", "pages"),
            ("mkdir -p a/b; ln -s ../../index.html a/b/c", "file-type", "a/b/c"),
            ("perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); bind(S,sockaddr_un(\"sock\"))'", "file-type", "sock"),
            ("perl -e 'open F, \">\", \"bad\\xff\"'", "path-encoding", "bad"),
            ("echo x > INDEX.HTML", "path-collision", "INDEX.HTML"),
            ("echo x > 'a\\b'", "path-backslash", "a\\b"),
            (
                "mkdir -p $(yes d | head -40 | paste -sd/); echo x > $(yes d | head -40 | paste -sd/)/x", "path-depth",
                "d/d/"
            ),
        ])
    func refusals(script: String, code: String, name: String) async throws {
        try await WorkerFixture.with { worker in
            let completion = await worker.run(script + "; echo done")
            #expect(completion.failure?.kind == .task)
            #expect(completion.failure?.code == code, "\(completion)")
            #expect(completion.failure?.message.contains(name) == true)
            #expect(worker.transfer.moved.uploaded.isEmpty)
            await worker.ledger.wait { messages, _ in messages.last == .credit(slots: 2) }
            #expect(await worker.leftovers.isEmpty)
        }
    }

    @Test("A symbolic link does not let a task write outside of its workspace")
    func writeThroughLink() async throws {
        try await WorkerFixture.with { worker in
            let completion = await worker.run(
                "ln -s \(worker.jobs)/evil x; echo hi > x; ln -s / y; echo hi > y/evil; echo done")
            #expect(completion.failure?.code == "file-type")
            #expect(!FileManager.default.fileExists(atPath: worker.jobs + "/evil"))
            #expect(!FileManager.default.fileExists(atPath: "/evil"))
        }
    }

    @Test("Folders and files whose rights a task took away are collected and deleted all the same")
    func rights() async throws {
        try await WorkerFixture.with { worker in
            let completion = await worker.run("mkdir d; echo x > d/f; chmod 000 d/f; chmod 000 d; echo done")
            #expect(completion.changes?.upserts.map(\.path.text) == ["d/f"])
            await worker.ledger.wait { messages, _ in messages.last == .credit(slots: 2) }
            #expect(await worker.leftovers.isEmpty)
        }
    }

    @Test("Names that are not text and nesting without end are deleted all the same")
    func hostileLeftovers() async throws {
        try await WorkerFixture.with { worker in
            let completion = await worker.run(
                "perl -e 'mkdir \"b\\xff\"; open F, \">\", \"b\\xff/c\\xfe\"; for (1..60) { mkdir \"d\"; chdir \"d\" } open F, \">\", \"x\"'; chmod 000 d; echo done"
            )
            #expect(completion.failure?.kind == .task)
            await worker.ledger.wait { messages, _ in messages.last == .credit(slots: 2) }
            #expect(await worker.leftovers.isEmpty)
        }
    }

    @Test("Cancelling kills what runs and confirms")
    func cancel() async throws {
        try await WorkerFixture.with { worker in
            let offer = worker.offer("echo 50; trap '' TERM; sleep 600")
            await worker.role.receive(.offer(offer))
            await worker.ledger.wait { messages, _ in
                messages.contains(.progress(offer.lease, step: "Step 50", percent: 47))
            }
            #expect(await worker.role.leases() == [offer.lease])
            await worker.role.receive(.cancel(offer.lease))
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.outcome == .cancelled)
            #expect(await worker.leftovers.isEmpty)
        }
    }

    @Test("A lost lease kills the task in silence")
    func leaseLost() async throws {
        try await WorkerFixture.with(slots: 1) { worker in
            let offer = worker.offer("echo 50; sleep 600")
            await worker.role.receive(.offer(offer))
            await worker.ledger.wait { messages, _ in
                messages.contains(.progress(offer.lease, step: "Step 50", percent: 47))
            }
            let before = worker.ledger.credits.count
            await worker.role.receive(.leaseLost(offer.lease))
            await worker.ledger.wait { messages, _ in
                messages.filter { if case .credit(1) = $0 { true } else { false } }.count > 1
            }
            #expect(worker.ledger.credits.count > before)
            #expect(worker.ledger.completions.isEmpty)
            #expect(await worker.leftovers.isEmpty)
        }
    }

    @Test("A task ends by itself when nobody renews its lease")
    func leaseExpires() async throws {
        try await WorkerFixture.with { worker in
            let offer = worker.offer("sleep 600", leaseDuration: .milliseconds(800))
            await worker.role.receive(.offer(offer))
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.failure?.code == "lease-expired")
            #expect(completion.failure?.kind == .infrastructure)
        }
    }

    @Test("A renewed lease lets the task go on")
    func leaseRenewed() async throws {
        try await WorkerFixture.with { worker in
            let offer = worker.offer("sleep 2; echo x > index.html; echo fine", leaseDuration: .milliseconds(1600))
            await worker.role.receive(.offer(offer))
            // Stands in for the session's heartbeats.
            let heartbeat = Task {
                while !Task.isCancelled {
                    let leases = await worker.role.leases()
                    await worker.role.receive(.renewed(leases))
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
            let completion = await worker.ledger.completion(of: offer.lease)
            heartbeat.cancel()
            #expect(completion.summary == "fine")
            #expect(completion.failure == nil)
        }
    }

    @Test("No more jobs than slots, no unknown engine, none while draining")
    func offers() async throws {
        try await WorkerFixture.with(slots: 1) { worker in
            let unknown = worker.offer("true", engine: .builtin)
            await worker.role.receive(.offer(unknown))
            #expect(worker.ledger.messages.contains(.reject(unknown.lease, reason: "this host has no engine builtin")))
            let first = worker.offer("echo 1; sleep 600")
            await worker.role.receive(.offer(first))
            #expect(worker.ledger.messages.contains(.accept(first.lease)))
            #expect(worker.ledger.credits.last == 0)
            let second = worker.offer("true")
            await worker.role.receive(.offer(second))
            #expect(worker.ledger.messages.contains(.reject(second.lease, reason: "all 1 slots are taken")))
            await worker.role.receive(.cancel(first.lease))
            _ = await worker.ledger.completion(of: first.lease)
            await worker.role.drain()
            let third = worker.offer("true")
            await worker.role.receive(.offer(third))
            #expect(worker.ledger.messages.contains(.reject(third.lease, reason: "this host takes no more jobs")))
        }
    }

    @Test("Limits of the offer hold: time and files")
    func limits() async throws {
        try await WorkerFixture.with(engines: [ScriptEngine()]) { worker in
            let slow = await worker.run("sleep 600", limits: .init(wallTime: .milliseconds(500)))
            #expect(slow.failure?.message.contains("wallTime") == true)
            let many = await worker.run(
                "i=0; while :; do : > f$i; i=$((i+1)); done", limits: .init(wallTime: .seconds(60), workspaceFiles: 300)
            )
            #expect(many.failure?.message.contains("workspaceFiles") == true)
        }
    }

    @Test("A coordinator that is away for a moment costs time only")
    func unavailable() async throws {
        try await WorkerFixture.with { worker in
            worker.transfer.failNext(2)
            let completion = await worker.run("echo x > index.html; echo ok")
            #expect(completion.changes != nil)
        }
    }

    @Test("What an earlier agent left is swept at the start")
    func sweep() async throws {
        try await WorkerFixture.with(prepare: { jobs in
            try FileManager.default.createDirectory(
                atPath: jobs + "/job_old-1/site/a", withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(filePath: jobs + "/job_old-1/site/a/b"))
        }) { worker in
            #expect(await worker.leftovers.isEmpty)
        }
    }

    @Test("No credential and no path of the host is visible inside")
    func nothingOfTheHost() async throws {
        try await WorkerFixture.with { worker in
            let completion = await worker.run("env > e.txt; cat /proc/mounts >> e.txt; pwd >> e.txt; echo done")
            let entry = try #require(completion.changes?.upserts.first)
            let text = String(decoding: try await worker.store.read(entry.digest, limit: 1 << 20), as: UTF8.self)
            #expect(text.contains("/site"))
            #expect(!text.contains("central") && !text.contains("identity"))
        }
    }

    @Test("An agent that is asked to stop takes nothing more and lets a job end that ends soon")
    func graceful() async throws {
        try await WorkerFixture.with { worker in
            let offer = worker.offer("echo 50; sleep 1; echo x > index.html; echo ended")
            await worker.role.receive(.offer(offer))
            await worker.ledger.wait { messages, _ in
                messages.contains(.progress(offer.lease, step: "Step 50", percent: 47))
            }
            await worker.services.triggerGracefulShutdown()
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.summary == "ended")
            #expect(completion.changes != nil)
            let late = worker.offer("true")
            await worker.role.receive(.offer(late))
            #expect(worker.ledger.messages.contains(.reject(late.lease, reason: "this host takes no more jobs")))
        }
    }

    @Test("A job that does not end soon is handed back when the agent stops")
    func shutdown() async throws {
        try await WorkerFixture.with(shutdown: .end(grace: .milliseconds(300))) { worker in
            let offer = worker.offer("echo 50; sleep 600")
            await worker.role.receive(.offer(offer))
            await worker.ledger.wait { messages, _ in
                messages.contains(.progress(offer.lease, step: "Step 50", percent: 47))
            }
            await worker.services.triggerGracefulShutdown()
            let completion = await worker.ledger.completion(of: offer.lease)
            #expect(completion.failure?.code == "interrupted")
            #expect(completion.failure?.kind == .infrastructure)
            #expect(await worker.leftovers.isEmpty)
        }
    }

    @Test("A session that comes back hears the progress again")
    func reconnect() async throws {
        try await WorkerFixture.with { worker in
            let offer = worker.offer("echo 50; sleep 600")
            await worker.role.receive(.offer(offer))
            let progress = AgentMessage.progress(offer.lease, step: "Step 50", percent: 47)
            await worker.ledger.wait { messages, _ in messages.contains(progress) }
            await worker.role.sessionClosed()
            var hello = AgentMessage.Hello(
                agentVersion: "1", roles: [], bootID: "b", leases: [], inventory: [], engines: [])
            await worker.role.describe(in: &hello)
            #expect(hello.leases == [offer.lease])
            #expect(hello.engines == [.codex])
            await worker.openSession()
            await worker.ledger.wait { messages, _ in messages.filter { $0 == progress }.count == 2 }
            await worker.role.receive(.cancel(offer.lease))
            _ = await worker.ledger.completion(of: offer.lease)
        }
    }

    @Test("A status line shows each job")
    func status() async throws {
        try await WorkerFixture.with { worker in
            let offer = worker.offer("echo 50; sleep 600")
            await worker.role.receive(.offer(offer))
            await worker.ledger.wait { messages, _ in
                messages.contains(.progress(offer.lease, step: "Step 50", percent: 47))
            }
            var status = AgentStatus(host: "h", name: "n", roles: [], version: "1", coordinator: "c")
            await worker.role.report(in: &status)
            #expect(status.jobs.map(\.step) == ["Step 50"])
            #expect(status.jobs.map(\.percent) == [47])
            #expect(status.level == .ok)
        }
    }
}

/// The agent's program, which is built together with these tests.
private enum Agent {
    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "pagewright-agent").path
}
