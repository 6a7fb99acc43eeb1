import AgentCore
import BlockingIO
import Domain
import FleetIdentity
import Glibc

/// Brings this host another version of the agent, watches it come up, and goes back when it is not well in time.
struct UpgradeSupervisor: Sendable {
    struct Limits: Sendable {
        /// How long the new version may take to be well, from the end of the command on.
        var gate = Duration.seconds(120)
        /// How long it has to be well without a break: one that crashes after a moment is not.
        var steady = Duration.seconds(3)
        /// How long the version before may take to be back.
        var wayBack = Duration.seconds(120)
        /// How long the command may take, in seconds.
        var commandInSeconds = 600
    }

    let state: StateFolder
    /// Gets a version as its only argument, installs it, and starts the agent.
    let command: String
    let limits: Limits
    let pool: BlockingPool

    /// Carries out one order; what became of it is in the record.
    func carryOut(order: String, from: String, to: String) async throws -> UpgradeRecord {
        var record = UpgradeRecord(
            order: order, from: from, to: to, outcome: UpgradeReport.Outcome.done.rawValue, detail: "")
        let tasks = await taskFolders()
        guard
            let problem = try await install(
                to, within: limits.gate, steady: limits.steady, unless: { await lack($0, tasks) })
        else { return record }
        record.detail = problem
        // Without a coordinator, too: the version before is not to blame for its absence.
        let worse = try await install(from, within: limits.wayBack, steady: .zero) { complaint($0) }
        record.outcome = (worse == nil ? UpgradeReport.Outcome.reverted : .failed).rawValue
        if let worse { record.detail += " And the version before did not come back: \(worse)" }
        return record
    }

    /// Brings a version and waits until nothing is lacking; otherwise says what is.
    private func install(
        _ version: String, within limit: Duration, steady: Duration, unless lack: (AgentStatus) async -> String?
    ) async throws -> String? {
        do {
            let code = try await pool.run { [command, state, limits] () throws -> Int32 in
                try DetachedProgram.run(
                    command, arguments: [version], log: state.upgradeLog, seconds: limits.commandInSeconds)
            }
            guard code == 0 else {
                return "The command to install \(version) ended with \(code); see \(state.upgradeLog)."
            }
        } catch let error as ServiceError {
            return "The command to install \(version) could not be run: \(error.message)."
        }
        let client = StatusClient(path: state.socket)
        let deadline = ContinuousClock.now + limit
        var seen = "The agent does not answer."
        var wellSince: ContinuousClock.Instant?
        var program: [Int]?
        while ContinuousClock.now < deadline {
            if let status = try? await client.status() {
                if status.version != version {
                    seen = "The agent that answers has version \(status.version)."
                    wellSince = nil
                } else if let missing = await lack(status) {
                    seen = missing
                    wellSince = nil
                } else {
                    // One that was started again meanwhile begins anew, however quick that was.
                    let answering = await socketMark()
                    if answering != program { wellSince = nil }
                    program = answering
                    let since = wellSince ?? .now
                    wellSince = since
                    if since.duration(to: .now) >= steady { return nil }
                    seen = "It was well, and did not stay so."
                }
            } else {
                seen = wellSince == nil ? "The agent does not answer." : "The agent answered, and does not any more."
                wellSince = nil
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        return "Version \(version) was not well within \(limit.components.seconds) s. \(seen)"
    }

    /// What is missing until the new version is well: a session, its tasks, all sites as they are to be, no complaint.
    private func lack(_ status: AgentStatus, _ tasks: Set<String>) async -> String? {
        if let complaint = complaint(status) { return complaint }
        guard status.isConnected else { return "The agent has no session with the coordinator." }
        if let site = status.sites.first(where: { $0.state == "pending" }) {
            return "The agent does not serve \(site.site) yet as it is to."
        }
        // A folder that is still there belongs to a task that has not ended.
        let running = Set(status.jobs.map(\.job))
        let left = tasks.intersection(await taskFolders()).filter { !running.contains(Self.job(of: $0)) }
        return left.sorted().first.map { "The agent did not take up the task of \(Self.job(of: $0)) again." }
    }

    /// Another one for each start of an agent: it makes its socket anew.
    private func socketMark() async -> [Int]? {
        try? await pool.run { [state] () -> [Int] in
            var facts = stat()
            guard stat(state.socket, &facts) == 0 else { return [] }
            return [Int(facts.st_ino), facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec]
        }
    }

    private func complaint(_ status: AgentStatus) -> String? {
        status.problems.first { $0.level == .bad }?.message
    }

    /// A folder for each task that this host works on, named after its job.
    private func taskFolders() async -> Set<String> {
        Set((try? await pool.run { [state] in try DurableFolder(path: state.jobs).names() }) ?? [])
    }

    private static func job(of folder: String) -> String { String(folder.prefix { $0 != "-" }) }
}
