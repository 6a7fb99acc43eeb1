import AgentCore
import Domain
import Foundation
import TestSupport
import Testing

struct CompletionSpoolTests {
    private func makeSpool(_ path: String, interval: Duration = .seconds(10)) async throws -> CompletionSpool {
        try await CompletionSpool(
            directory: path, pool: TestCoordinator.pool, resendInterval: interval, logger: .silent)
    }

    private let welcome = CoordinatorMessage.Welcome(
        sessionEpoch: 1, heartbeatInterval: .seconds(10), leaseDuration: .seconds(60), coordinatorVersion: "",
        versionKeys: [])

    @Test("A completion outlives a restart, keeps its lease, and goes when its verdict came")
    func restart() async throws {
        try await withTemporaryDirectory { path in
            let completion = JobCompletion(
                lease: Sample.lease(attempt: 2),
                outcome: .failed(JobFailure(kind: .task, code: "engine-failed", message: "No.")), summary: "s",
                usage: TokenUsage(uncachedInput: 1, cachedInput: 2, output: 3))
            try await makeSpool(path).submit(completion)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["\(completion.lease.job)-2.pb"])

            let spool = try await makeSpool(path)
            #expect(await spool.leases() == [completion.lease])
            var hello = AgentMessage.Hello(
                agentVersion: "", roles: [], bootID: "", leases: [], inventory: [], engines: [])
            await spool.describe(in: &hello)
            #expect(hello.leases == [completion.lease])
            let outbox = KeepingOutbox()
            await spool.sessionOpened(welcome, outbox: outbox)
            #expect(try await outbox.sent.first() == .complete(completion))

            // A verdict on another attempt, or on another grant of this one, is not about this result.
            await spool.receive(.verdict(Sample.lease(attempt: 2), .applied))
            let other = JobLease(
                job: completion.lease.job, attempt: 2, token: Sample.lease().token, fence: completion.lease.fence)
            await spool.receive(.verdict(other, .stale))
            #expect(await spool.leases() == [completion.lease])
            await spool.receive(.verdict(completion.lease, .duplicate))
            #expect(await spool.leases().isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test("A completion is sent again as long as there is no verdict")
    func resends() async throws {
        try await withTemporaryDirectory { path in
            let spool = try await makeSpool(path, interval: .milliseconds(5))
            let completion = JobCompletion(lease: Sample.lease(), outcome: .cancelled, summary: "", usage: .zero)
            let outbox = KeepingOutbox()
            await spool.sessionOpened(welcome, outbox: outbox)
            try await spool.submit(completion)
            try await running([spool.run]) {
                for _ in 0..<3 {
                    let sent = try await outbox.sent.first()
                    #expect(sent == .complete(completion))
                }
            }
        }
    }

    @Test("A damaged file is moved aside, and the others are kept")
    func damaged() async throws {
        try await withTemporaryDirectory { path in
            let completion = JobCompletion(lease: Sample.lease(), outcome: .cancelled, summary: "", usage: .zero)
            try await makeSpool(path).submit(completion)
            let good = "\(completion.lease.job)-1.pb"
            try Data([0xff, 0xff, 1]).write(to: URL(filePath: path + "/job_x-1.pb"))
            try Data().write(to: URL(filePath: path + "/empty.pb"))
            try FileManager.default.copyItem(atPath: path + "/" + good, toPath: path + "/misnamed.pb")
            let spool = try await makeSpool(path)
            #expect(await spool.leases() == [completion.lease])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                    == [good, "empty.pb.corrupt", "job_x-1.pb.corrupt", "misnamed.pb.corrupt"].sorted())
            let again = try await makeSpool(path)
            #expect(await again.leases() == [completion.lease])
        }
    }
}
