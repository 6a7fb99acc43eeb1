package import AgentCore
import Domain
import Nginx

extension ServingRole {
    package func report(in status: inout AgentStatus) async {
        for (site, tracked) in sites.sorted(by: { $0.key < $1.key }) {
            if let line = line(for: site, tracked) { status.sites.append(line) }
        }
        let nginx = await nginxStatus
        status.nginx = AgentStatus.NginxLine(
            process: nginx.processID, isAnswering: nginx.isAnswering, configuration: nginx.generation,
            reloads: nginx.reloads, restarts: nginx.restarts, workerUser: nginx.workerUser)
        status.problems += nginxProblems(nginx)
        status.problems += diskProblems()
        if !heldRemovals.isEmpty {
            status.problems.append(
                AgentStatus.Problem(
                    level: .degraded,
                    message:
                        "the coordinator asks to remove \(heldRemovals.count) sites at once; they are still served",
                    nextStep: "If this is meant, run: touch \(layout.massRemovalPermit)"))
        }
    }

    private func line(for site: SiteID, _ tracked: TrackedSite) -> AgentStatus.SiteLine? {
        let isGone = tracked.served?.desired.isRemoved == true && tracked.wanted == nil
        guard !isGone, let shown = tracked.served?.desired ?? tracked.wanted else {
            guard let floor = tracked.floor else { return nil }
            return AgentStatus.SiteLine(
                site: site.text, generation: floor.generation, digest: floor.abbreviatedDigest, names: [],
                state: "pending", problem: "its record cannot be read; waiting for the coordinator")
        }
        let state = tracked.refusal != nil ? "refused" : tracked.wanted != nil ? "pending" : "applied"
        var line = AgentStatus.SiteLine(
            site: site.text, generation: tracked.served?.desired.generation ?? 0,
            digest: tracked.served?.digest.abbreviated ?? "", names: (shown.liveNames + shown.previewNames).map(\.text),
            state: state, problem: tracked.refusal?.message)
        line.version = tracked.served?.desired.live?.number.rawValue
        if let asked = tracked.served?.overridden { line.wantedVersion = asked.live?.number.rawValue }
        return line
    }

    private func nginxProblems(_ nginx: NginxStatus) -> [AgentStatus.Problem] {
        if let problem = nginx.problem {
            return [AgentStatus.Problem(level: .bad, message: problem.message, nextStep: problem.nextStep)]
        }
        guard nginx.isAnswering else {
            return [
                AgentStatus.Problem(
                    level: .bad, message: "nginx does not answer yet", nextStep: "Wait a moment and ask again.")
            ]
        }
        guard nginx.workerUser == "root" else { return [] }
        return [
            AgentStatus.Problem(
                level: .ok,
                message:
                    "nginx's workers run as root, because a folder on the way to \(layout.root) is closed to others",
                nextStep: "Move the state folder, or let others pass (chmod o+x), and start the agent again.")
        ]
    }

    private func diskProblems() -> [AgentStatus.Problem] {
        guard let space = DiskSpace(at: layout.root), space.isNearlyFull || space.isFull else { return [] }
        return [
            AgentStatus.Problem(
                level: space.isFull ? .bad : .degraded,
                message:
                    "the disk of \(layout.root) is \(space.isFull ? "full" : "nearly full"): \(space.freeBytes >> 20) MiB left",
                nextStep:
                    "Free some space; sites are served as they are, and new versions are refused while it is full.")
        ]
    }
}
