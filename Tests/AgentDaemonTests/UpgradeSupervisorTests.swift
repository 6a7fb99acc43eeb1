import AgentCore
import BlockingIO
import Foundation
import TestSupport
import Testing

@testable import AgentDaemon

/// A host gets another version and goes back when that is not well: with processes that work, crash and hang.
@Suite(.timeLimit(.minutes(5))) struct UpgradeSupervisorTests {
    private static let pool = BlockingPool(label: "upgrade-tests", width: 4)

    /// Whether the process ends within ten seconds. One that nobody has waited for yet has ended.
    private static func isGone(_ process: Int) async throws -> Bool {
        for _ in 0..<200 {
            guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
                !status.contains("State:\tZ"), status.contains("Name:\tsleep")
            else { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func carryOut(
        _ order: String = "order-1", to version: String, on host: FakeHost, gate: Duration = .seconds(4)
    ) async throws -> UpgradeRecord {
        var limits = UpgradeSupervisor.Limits()
        limits.gate = gate
        limits.steady = .seconds(1)
        limits.commandInSeconds = 20
        return try await UpgradeSupervisor(state: host.state, command: host.install, limits: limits, pool: Self.pool)
            .carryOut(order: order, from: "1.0.0", to: version)
    }

    @Test("A version that comes up and stays well is kept")
    func works() async throws {
        try await FakeHost.run { host in
            try host.offer("1.0.0", .works)
            try host.offer("1.1.0", .works)
            try await host.start("1.0.0")
            let record = try await carryOut(to: "1.1.0", on: host, gate: .seconds(60))
            #expect(record == UpgradeRecord(order: "order-1", from: "1.0.0", to: "1.1.0", outcome: "done", detail: ""))
            #expect(host.wanted == "1.1.0")
        }
    }

    @Test(
        "A version that crashes, hangs, never opens its socket, or crashes again and again is taken back",
        arguments: [
            (FakeHost.Behaviour.crashes, "The agent does not answer."), (.hangs, "The agent does not answer."),
            (.sleeps, "The agent does not answer."), (.flaps, ""),
        ])
    func broken(behaviour: FakeHost.Behaviour, reason: String) async throws {
        try await FakeHost.run { host in
            try host.offer("1.0.0", .works)
            try host.offer("1.1.0", behaviour)
            try await host.start("1.0.0")
            let record = try await carryOut(to: "1.1.0", on: host)
            #expect(record.outcome == "reverted")
            #expect(record.detail.hasPrefix("Version 1.1.0 was not well within 4 s. "))
            #expect(record.detail.hasSuffix(reason))
            try await host.untilItAnswers("1.0.0")
        }
    }

    enum Lack: String, CaseIterable, Sendable {
        case session = "no session"
        case complaint = "nginx does not answer"
        case site = "site_1"
        case task = "job_1"
    }

    @Test(
        "A version without a session, with a complaint, with a site that it does not serve, or without a task of before is taken back",
        arguments: Lack.allCases)
    func unwell(lack: Lack) async throws {
        try await FakeHost.run { host in
            try host.makeTask(of: "job_1")
            let job = AgentStatus.JobLine(job: "job_1", site: "site_1", engine: "builtin", step: "", percent: 1)
            try host.offer("1.0.0", .works) { $0.jobs = [job] }
            try host.offer("1.1.0", .works) { status in
                status.isConnected = lack != .session
                if lack != .task { status.jobs = [job] }
                if lack == .complaint {
                    status.problems = [.init(level: .bad, message: "nginx does not answer", nextStep: "Look.")]
                }
                status.sites = [
                    .init(
                        site: "site_1", generation: 2, digest: "", names: [],
                        state: lack == .site ? "pending" : "applied")
                ]
            }
            try await host.start("1.0.0")
            let record = try await carryOut(to: "1.1.0", on: host, gate: .seconds(15))
            #expect(record.outcome == "reverted")
            #expect(record.detail.contains(lack.rawValue), "\(record.detail)")
            #expect(host.wanted == "1.0.0")
        }
    }

    @Test("A version that is not well at first and is in time is kept; a task that ended meanwhile is no loss")
    func late() async throws {
        try await FakeHost.run { host in
            try host.makeTask(of: "job_1")
            try host.offer("1.0.0", .works)
            try host.offer("1.1.0", .works) { $0.isConnected = false }
            try await host.start("1.0.0")
            async let record = carryOut(to: "1.1.0", on: host, gate: .seconds(90))
            try await host.untilItAnswers("1.1.0")
            try FileManager.default.removeItem(atPath: host.state.jobs + "/job_1-1-77")
            try host.offer("1.1.0", .works)
            #expect(try await record.outcome == "done")
        }
    }

    @Test("A version that cannot be installed leaves the one before")
    func notThere() async throws {
        try await FakeHost.run { host in
            try host.offer("1.0.0", .works)
            try await host.start("1.0.0")
            let record = try await carryOut(to: "9.9.9", on: host)
            #expect(record.outcome == "reverted")
            #expect(record.detail.contains("The command to install 9.9.9 ended with 3"))
            #expect(host.wanted == "1.0.0")
        }
    }

    @Test("The version before is back when it answers and complains of nothing, also while the coordinator is away")
    func backAlone() async throws {
        try await FakeHost.run { host in
            try host.offer("1.0.0", .works) { $0.isConnected = false }
            try host.offer("1.1.0", .works) { $0.isConnected = false }
            try await host.start("1.0.0")
            #expect(try await carryOut(to: "1.1.0", on: host).outcome == "reverted")
        }
    }

    @Test("When the version before does not come back either, a person has to see it")
    func lost() async throws {
        try await FakeHost.run { host in
            try host.offer("1.0.0", .works)
            try host.offer("1.1.0", .crashes)
            try await host.start("1.0.0")
            try host.offer("1.0.0", .crashes)
            var limits = UpgradeSupervisor.Limits()
            limits.gate = .seconds(2)
            limits.wayBack = .seconds(2)
            let supervisor = UpgradeSupervisor(
                state: host.state, command: host.install, limits: limits, pool: Self.pool)
            let record = try await supervisor.carryOut(order: "o", from: "1.0.0", to: "1.1.0")
            #expect(record.outcome == "failed")
            #expect(record.detail.contains("the version before did not come back"))
        }
    }

    @Test("A command that hangs is ended, with what it started")
    func slowCommand() async throws {
        try await FakeHost.run { host in
            try host.offer("1.0.0", .works)
            try await host.start("1.0.0")
            try host.write(
                "#!/bin/sh\n[ \"$1\" = 1.0.0 ] && exit 0\nsleep 600 & echo $! > '\(host.folder)/pid'; wait\n",
                to: "install")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: host.install)
            var limits = UpgradeSupervisor.Limits()
            limits.commandInSeconds = 3
            let supervisor = UpgradeSupervisor(
                state: host.state, command: host.install, limits: limits, pool: Self.pool)
            let record = try await supervisor.carryOut(order: "o", from: "1.0.0", to: "1.1.0")
            #expect(record.outcome == "reverted")
            #expect(record.detail.contains("ended with 137"))
            let child = try String(contentsOfFile: host.folder + "/pid", encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let isGone = try await Self.isGone(try #require(Int(child)))
            #expect(isGone)
        }
    }

    @Test("Two orders are carried out one after the other")
    func lock() async throws {
        try await withTemporaryDirectory { folder in
            let first = try UpgradeLock(path: folder + "/lock", seconds: 1)
            #expect(throws: (any Error).self) { try UpgradeLock(path: folder + "/lock", seconds: 1) }
            first.release()
            try UpgradeLock(path: folder + "/lock", seconds: 1).release()
        }
    }
}
