import AgentCore
import Domain
import Testing

@testable import AgentDaemon

struct StatusTextTests {
    private let now = Timestamp(millisecondsSinceEpoch: 1_700_000_000_000)

    private var status: AgentStatus {
        var status = AgentStatus(
            host: "host_1", name: "local", roles: ["serving", "worker"], version: "0.1.0", coordinator: "127.0.0.1:8443"
        )
        status.isConnected = true
        status.certificateExpiresAt = now.millisecondsSinceEpoch + 7_200_000
        status.diskFreeBytes = 12_000_000_000
        status.diskTotalBytes = 50_000_000_000
        status.sites = [
            .init(site: "site_1", generation: 4, digest: "abcdef012345", names: ["a.localhost"], state: "applied")
        ]
        status.nginx = .init(
            process: 77, isAnswering: true, configuration: 1, reloads: 0, restarts: 1, workerUser: "nobody")
        status.jobs = [.init(job: "job_1", site: "site_1", engine: "builtin", step: "Editing", percent: 40)]
        return status
    }

    @Test("A host that is well says who it is, what it serves and what it runs")
    func well() {
        #expect(
            StatusText(now: now).lines(status) == [
                "local (host_1): ok", "  Roles        serving, worker", "  Version      0.1.0",
                "  Coordinator  connected to 127.0.0.1:8443",
                "  Certificate  ends in 2 h; renewed before that",
                "  Disk         12 GB free of 50 GB",
                "  nginx        answers, process 77, reloaded 0 times, started again 1 times, workers run as nobody",
                "  Sites        1",
                "    site_1  generation 4  abcdef012345  applied  a.localhost", "  Jobs         1 running",
                "    job_1  site_1  builtin  40 %  Editing",
            ])
    }

    @Test("A host that lost its coordinator says since when, that it serves on, and what to do")
    func alone() {
        var status = status
        status.isConnected = false
        status.lastContactAt = now.millisecondsSinceEpoch
        status.problems = [.init(level: .degraded, message: "There is no session.", nextStep: "Wait.")]
        let lines = StatusText(now: now).lines(status)
        #expect(lines.first == "local (host_1): degraded")
        #expect(lines[3].hasPrefix("  Coordinator  127.0.0.1:8443 unreachable since 20"))
        #expect(lines[3].hasSuffix("; sites keep being served"))
        #expect(lines.suffix(2) == ["degraded: There is no session.", "  next: Wait."])
    }

    @Test("A remark is not a fault")
    func remark() {
        var status = status
        status.problems = [.init(level: .ok, message: "The workers run as root.", nextStep: "Move the folder.")]
        let lines = StatusText(now: now).lines(status)
        #expect(lines.first == "local (host_1): ok")
        #expect(lines.suffix(2) == ["note: The workers run as root.", "  next: Move the folder."])
    }

    @Test("An expired certificate is said to have ended")
    func expired() {
        var status = status
        status.certificateExpiresAt = now.millisecondsSinceEpoch - 60_000
        #expect(StatusText(now: now).lines(status).contains("  Certificate  ended 60 s ago"))
    }
}
