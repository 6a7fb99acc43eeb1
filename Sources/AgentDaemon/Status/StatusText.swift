import AgentCore
import Domain
import Glibc

/// An agent's status in words.
struct StatusText {
    let now: Timestamp

    func lines(_ status: AgentStatus) -> [String] {
        var lines = [
            "\(status.name) (\(status.host)): \(Self.word(status.level))",
            "  Roles        \(status.roles.joined(separator: ", "))",
            "  Version      \(status.version)",
            "  Coordinator  \(link(status))",
        ]
        if let expiry = status.certificateExpiresAt {
            let left = Timestamp(millisecondsSinceEpoch: expiry) - now
            lines.append(
                left > .zero
                    ? "  Certificate  ends in \(Self.span(left)); renewed before that"
                    : "  Certificate  ended \(Self.span(.zero - left)) ago")
        }
        lines.append(
            "  Disk         \(Self.size(status.diskFreeBytes)) free of \(Self.size(status.diskTotalBytes))")
        if let nginx = status.nginx { lines.append("  nginx        \(Self.words(nginx))") }
        if status.roles.contains("serving") {
            lines.append("  Sites        \(status.sites.isEmpty ? "none" : "\(status.sites.count)")")
            lines += status.sites.prefix(50).map { "    " + Self.line($0) }
            if status.sites.count > 50 {
                lines.append("    and \(status.sites.count - 50) more: pagewright-agent sites")
            }
        }
        if status.roles.contains("worker") {
            lines.append("  Jobs         \(status.jobs.isEmpty ? "none running" : "\(status.jobs.count) running")")
            lines += status.jobs.map { "    " + Self.line($0) }
        }
        for problem in status.problems {
            let word = problem.level == .ok ? "note" : Self.word(problem.level)
            lines += ["", "\(word): \(problem.message)", "  next: \(problem.nextStep)"]
        }
        return lines
    }

    private func link(_ status: AgentStatus) -> String {
        guard !status.isConnected else { return "connected to \(status.coordinator)" }
        guard let last = status.lastContactAt else {
            return "\(status.coordinator) never reached since the start; sites keep being served"
        }
        return "\(status.coordinator) unreachable since \(Self.clock(last)); sites keep being served"
    }

    static func words(_ nginx: AgentStatus.NginxLine) -> String {
        guard let process = nginx.process else { return "does not run; started again \(nginx.restarts) times" }
        let user = nginx.workerUser.map { ", workers run as \($0)" } ?? ""
        return "\(nginx.isAnswering ? "answers" : "does not answer"), process \(process), "
            + "reloaded \(nginx.reloads) times, started again \(nginx.restarts) times\(user)"
    }

    static func line(_ site: AgentStatus.SiteLine) -> String {
        "\(site.site)  generation \(site.generation)  \(site.digest.isEmpty ? "-" : site.digest)  \(site.state)  "
            + (site.wantedVersion.map { "rolled back here from version \($0)  " } ?? "")
            + site.names.joined(separator: ", ") + (site.problem.map { "  (\($0))" } ?? "")
    }

    static func line(_ job: AgentStatus.JobLine) -> String {
        "\(job.job)  \(job.site)  \(job.engine)  \(job.percent) %  \(job.step)"
    }

    static func lines(_ site: AgentStatus.SiteLine) -> [String] {
        var lines = [
            site.site, "  State       \(site.state)", "  Generation  \(site.generation)",
            "  Digest      \(site.digest)",
            "  Names       \(site.names.joined(separator: ", "))",
        ]
        if let version = site.version { lines.append("  Version     \(version)") }
        if let wanted = site.wantedVersion {
            lines.append("  Wanted      version \(wanted); somebody rolled it back on this host")
        }
        if let problem = site.problem { lines.append("  Problem     \(problem)") }
        return lines
    }

    private static func word(_ level: AgentStatus.Level) -> String {
        switch level {
        case .ok: "ok"
        case .degraded: "degraded"
        case .bad: "bad"
        }
    }

    /// The local time of day, and the date when it was not today.
    static func clock(_ milliseconds: Int64) -> String {
        var then = tm()
        var today = tm()
        var seconds = time_t(milliseconds / 1000)
        var current = time(nil)
        localtime_r(&seconds, &then)
        localtime_r(&current, &today)
        let isToday = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, isToday ? "%H:%M" : "%Y-%m-%d %H:%M", &then)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func span(_ duration: Duration) -> String {
        switch duration.components.seconds {
        case let seconds where seconds < 100: "\(seconds) s"
        case let seconds where seconds < 5400: "\(seconds / 60) min"
        case let seconds where seconds < 172_800: "\(seconds / 3600) h"
        case let seconds: "\(seconds / 86_400) days"
        }
    }

    static func size(_ bytes: Int64) -> String {
        var value = bytes
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 10_000 { return "\(value) \(unit)" }
            value /= 1000
        }
        return "\(value) TB"
    }
}
