import AgentCore
import ArgumentParser
import BlockingIO
import Domain
import FoundationEssentials

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Examine this host: rights, disk, certificate, coordinator, nginx, sandbox.",
        discussion: "Works whether or not the agent runs. Exits with 0 when all is well, 1 when something is degraded, "
            + "2 when something is bad.\n\nExample: pagewright-agent doctor")

    @OptionGroup var options: StateOption

    struct Report: Encodable {
        let level: AgentStatus.Level
        let checks: [DoctorCheck]
    }

    func run() async throws {
        let doctor = Doctor(
            state: options.state, pool: BlockingPool(label: "pagewright.doctor", width: 2), clock: HostClock())
        let checks = await doctor.examine()
        let level = checks.map(\.level).max() ?? .ok
        if options.json {
            let report = Report(level: level, checks: checks)
            Output.print(String(decoding: try AgentStatus.encoder.encode(report), as: UTF8.self))
        } else {
            for check in checks { for line in check.lines { Output.print(line) } }
        }
        throw ExitCode(Int32(level.rawValue))
    }
}

/// One thing that was looked at.
struct DoctorCheck: Encodable, Sendable {
    let name: String
    let level: AgentStatus.Level
    let detail: String
    let nextStep: String?

    init(_ name: String, _ level: AgentStatus.Level, _ detail: String, nextStep: String? = nil) {
        self.name = name
        self.level = level
        self.detail = detail
        self.nextStep = nextStep
    }

    var lines: [String] {
        let word =
            switch level {
            case .ok: "ok      "
            case .degraded: "degraded"
            case .bad: "bad     "
            }
        return ["\(word)  \(name): \(detail)"] + (nextStep.map { ["          next: \($0)"] } ?? [])
    }
}
