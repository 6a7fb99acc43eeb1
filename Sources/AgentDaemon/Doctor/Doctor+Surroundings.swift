import AgentCore
import BlockingIO
import Browser
import CLinux
import Domain
import FleetIdentity
import Glibc

/// What is around the agent: the clock, names, the way to the coordinator, the kernel.
extension Doctor {
    func inodes() async -> DoctorCheck {
        let path = state.path
        guard let space = try? await pool.run({ try InodeSpace(at: path) }) else {
            return DoctorCheck(
                "inodes", .bad, "how many files \(path) can hold cannot be read",
                nextStep: "Name the folder with --state.")
        }
        guard space.total > 0 else { return DoctorCheck("inodes", .ok, "the file system has no limit") }
        return DoctorCheck(
            "inodes", space.isShort ? .degraded : .ok, "\(space.free) of \(space.total) free",
            nextStep: space.isShort
                ? "Delete files on the file system of \(path), or make it anew with more inodes." : nil)
    }

    /// Whether the kernel is told the time by somebody. Certificates begin and end by it.
    func hostClock() -> DoctorCheck {
        let isKept = clock_is_kept()
        // The year of this program: a clock before it is certainly wrong.
        if clock.now() < Timestamp(millisecondsSinceEpoch: 1_767_225_600_000) {
            return DoctorCheck(
                "clock", .bad, "it says \(clock.now()), which is in the past",
                nextStep: "Set it, and let a time service such as chrony keep it.")
        }
        guard isKept >= 0 else { return DoctorCheck("clock", .ok, "\(clock.now()); whether it is kept is not known") }
        if isKept == 0 {
            return DoctorCheck(
                "clock", .degraded, "\(clock.now()); no time service keeps it",
                nextStep: "Install one: apt-get install chrony. In a container the host has to do it.")
        }
        return DoctorCheck("clock", .ok, "\(clock.now()), kept by a time service")
    }

    /// Whether the coordinators' names have addresses.
    func names(in text: String) async -> DoctorCheck {
        var unknown: [String] = []
        var known: [String] = []
        for address in (try? CoordinatorAddresses(text))?.all ?? [] {
            let host = address.host
            let problem = try? await pool.run { () -> String? in
                var list: UnsafeMutablePointer<addrinfo>?
                let code = getaddrinfo(host, nil, nil, &list)
                if let list { freeaddrinfo(list) }
                return code == 0 ? nil : String(cString: gai_strerror(code))
            }
            if let problem { unknown.append("\(host): \(problem)") } else { known.append(host) }
        }
        guard !unknown.isEmpty else { return DoctorCheck("names", .ok, known.joined(separator: ", ")) }
        return DoctorCheck(
            "names", known.isEmpty ? .bad : .degraded, unknown.joined(separator: "; "),
            nextStep: "Check /etc/resolv.conf and the address of the coordinator; sites keep being served.")
    }

    /// Whether the coordinator proves who it is, and knows this host: a renewal is asked for that cannot be granted.
    func secureConnection(of identity: AgentIdentity, to address: String) async -> DoctorCheck {
        do {
            let moved = try AgentIdentity(
                key: identity.key, certificateChain: identity.certificateChain, trustRoots: identity.trustRoots,
                coordinator: address, hostName: identity.hostName, roles: identity.roles,
                trustDomain: identity.trustDomain)
            let connection = try CoordinatorConnection(identity: AgentIdentityHolder(moved), clock: clock)
            try await CoordinatorProbe(connection: connection).run()
            return DoctorCheck("tls", .ok, "the coordinator is the fleet's, and knows this host")
        } catch let error as ServiceError {
            let isAway = error.rule == "coordinator-unreachable" || error.code == .unavailable
            return DoctorCheck(
                "tls", isAway ? .degraded : .bad, error.message,
                nextStep: error.nextStep ?? "Check that the address is the one for agents.")
        } catch {
            return DoctorCheck("tls", .degraded, "\(error)", nextStep: "Try again in a moment.")
        }
    }

    /// Whether tasks can be given limits by the kernel as a group; without, each process has limits of its own.
    func controlGroups() async -> DoctorCheck {
        let words = try? await pool.run { () -> [String]? in
            guard let bytes = try DurableFolder(path: "/sys/fs/cgroup").read("cgroup.controllers") else { return nil }
            return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        guard let found = words else {
            return DoctorCheck(
                "cgroups", .degraded, "there is no unified hierarchy at /sys/fs/cgroup",
                nextStep:
                    "Start the kernel with systemd.unified_cgroup_hierarchy=1; until then each process has limits of its own."
            )
        }
        let missing = ["cpu", "memory", "pids"].filter { !found.contains($0) }
        guard missing.isEmpty else {
            return DoctorCheck(
                "cgroups", .degraded, "the controllers \(missing.joined(separator: ", ")) are missing",
                nextStep: "Delegate them to the agent's unit: Delegate=yes.")
        }
        return DoctorCheck("cgroups", .ok, "cpu, memory and pids")
    }

    /// Whether changed pages are looked at. A worker may be without a browser: then its versions say so.
    func browser() -> DoctorCheck {
        let program = PageCheckerPlan.chromium
        guard access(program, X_OK) == 0 else {
            return DoctorCheck(
                "browser", .ok, "Chromium is not installed, so pages are not looked at unless --browser names one",
                nextStep: "If they should be: apt-get install chromium")
        }
        return DoctorCheck("browser", .ok, "\(program) looks at changed pages, unless --browser is off")
    }
}
