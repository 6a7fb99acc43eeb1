import AgentCore
import BlockingIO
import Domain
import FleetIdentity
import Glibc
import Sandbox

/// Looks at everything that an agent needs, without the agent.
struct Doctor: Sendable {
    let state: StateFolder
    let pool: BlockingPool
    let clock: any WallClock

    func examine() async -> [DoctorCheck] {
        var checks = [await folder(), await disk(), await inodes(), hostClock()]
        let identity = await loadIdentity()
        switch identity {
        case .success(let identity):
            checks.append(certificate(of: identity))
            let status = await askAgent()
            checks.append(agent(status))
            // A running agent may have been told of another address than the one it joined at.
            let address = (try? status.get())?.coordinator ?? identity.coordinator
            let names = await self.names(in: address)
            checks.append(names)
            checks.append(await coordinator(at: address))
            if names.level != .bad { checks.append(await secureConnection(of: identity, to: address)) }
            if identity.roles.contains(.serving) { checks.append(nginx()) }
            if identity.roles.contains(.worker) {
                checks.append(await sandbox())
                checks.append(await controlGroups())
                checks.append(browser())
            }
        case .failure(let error):
            checks.append(
                DoctorCheck(
                    "identity", .bad, error.message,
                    nextStep: error.nextStep ?? "Join a fleet: pagewright-agent join --coordinator … --token …"))
        }
        return checks
    }

    private func loadIdentity() async -> Result<AgentIdentity, ServiceError> {
        do {
            return .success(try await pool.run { [state] in try AgentIdentityStore(directory: state.identity).load() })
        } catch let error as ServiceError {
            return .failure(error)
        } catch {
            return .failure(ServiceError(.internalError, "the identity cannot be read", cause: error))
        }
    }

    private func folder() async -> DoctorCheck {
        let path = state.path
        let facts = try? await pool.run { () -> (mode: UInt32, canWrite: Bool)? in
            var facts = stat()
            guard stat(path, &facts) == 0 else { return nil }
            return (facts.st_mode & 0o777, access(path, R_OK | W_OK | X_OK) == 0)
        }
        guard let found = facts ?? nil else {
            return DoctorCheck("state", .bad, "there is no folder \(path)", nextStep: "Name it with --state.")
        }
        guard found.canWrite else {
            return DoctorCheck(
                "state", .bad, "you may not write in \(path)", nextStep: "Run this as the agent's user, or as root.")
        }
        // nginx's workers pass through it to what they serve.
        guard found.mode & 0o006 == 0 else {
            return DoctorCheck(
                "state", .degraded, "others may look into \(path)", nextStep: "Close it: chmod o-rw \(path)")
        }
        return DoctorCheck("state", .ok, path)
    }

    private func disk() async -> DoctorCheck {
        guard let disk = try? await DiskSpace.measure(at: state.path, on: pool) else {
            return DoctorCheck(
                "disk", .bad, "the free space of \(state.path) cannot be read",
                nextStep: "Name the folder with --state, and see whether its disk is there: df \(state.path)")
        }
        let text = "\(StatusText.size(disk.freeBytes)) free of \(StatusText.size(disk.totalBytes))"
        let isShort = disk.freeBytes < 1 << 30 && disk.freeBytes < disk.totalBytes / 20
        return DoctorCheck(
            "disk", isShort ? .degraded : .ok, text,
            nextStep: isShort ? "Free space on the file system of \(state.path)." : nil)
    }

    private func certificate(of identity: AgentIdentity) -> DoctorCheck {
        let now = clock.now()
        let certificate = identity.certificate
        if now < certificate.notBefore {
            return DoctorCheck(
                "certificate", .bad, "it begins at \(certificate.notBefore) and this host's clock says \(now)",
                nextStep: "Set the clock; best with a time service such as chrony.")
        }
        if now >= certificate.notAfter {
            return DoctorCheck(
                "certificate", .bad, "it ended at \(certificate.notAfter)",
                nextStep: "The agent renews it when it reaches the coordinator; after 14 days invite the host again.")
        }
        return DoctorCheck("certificate", .ok, "ends in \(StatusText.span(certificate.notAfter - now))")
    }

    private func askAgent() async -> Result<AgentStatus, any Error> {
        do {
            return .success(try await StatusClient(path: state.socket).status())
        } catch {
            return .failure(error)
        }
    }

    private func agent(_ answer: Result<AgentStatus, any Error>) -> DoctorCheck {
        switch answer {
        case .success(let status):
            guard let problem = status.problems.first else {
                return DoctorCheck("agent", .ok, "version \(status.version) answers")
            }
            return DoctorCheck("agent", problem.level, problem.message, nextStep: problem.nextStep)
        case .failure(let error):
            let error = error as? ServiceError
            return DoctorCheck(
                "agent", .bad, error?.message ?? "it does not answer",
                nextStep: error?.nextStep ?? "Start it: pagewright-agent run --state \(state.path)")
        }
    }

    /// One of them that can be reached is enough.
    private func coordinator(at text: String) async -> DoctorCheck {
        var failures: [String] = []
        for address in (try? CoordinatorAddresses(text))?.all ?? [] {
            do {
                try await pool.run { try TCPProbe.connect(host: address.host, port: address.port, seconds: 5) }
                return DoctorCheck("coordinator", .ok, "\(address) accepts connections")
            } catch {
                failures.append("\(error)")
            }
        }
        return DoctorCheck(
            "coordinator", .degraded,
            "\(text) cannot be reached (\(failures.joined(separator: "; "))); sites keep being served",
            nextStep: "Check that it runs, and that no firewall is in between.")
    }

    private func nginx() -> DoctorCheck {
        let places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx", "/usr/bin/nginx"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            return DoctorCheck(
                "nginx", .bad, "it is not installed", nextStep: "Install it: apt-get install nginx-light")
        }
        return DoctorCheck("nginx", .ok, program)
    }

    private func sandbox() async -> DoctorCheck {
        let workspace = state.path + "/doctor-\(getpid())"
        do {
            let runner = try await pool.run { try SandboxRunner() }
            try await pool.run { _ = mkdir(workspace, 0o700) }
            defer { rmdir(workspace) }
            let failed = try await SandboxSelfTest(runner: runner).run(workspace: workspace).filter { !$0.isPassed }
            guard failed.isEmpty else {
                return DoctorCheck(
                    "sandbox", .bad, "walls that did not stand: \(failed.map { "\($0.name) (\($0.detail))" })",
                    nextStep: "Edits are refused on this host until they do; update the kernel and bubblewrap.")
            }
            return DoctorCheck("sandbox", .ok, "all \(SandboxSelfTest.names.count) walls stand")
        } catch {
            return DoctorCheck(
                "sandbox", .bad, "\(error)", nextStep: "Install it: apt-get install bubblewrap; allow user namespaces.")
        }
    }
}

/// Whether something accepts TCP connections.
enum TCPProbe {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Blocks for at most `seconds` for each address that the name has.
    static func connect(host: String, port: Int, seconds: Int32) throws(Failure) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw Failure(description: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var reason = "the name has no address"
        var next = list
        while let address = next?.pointee {
            let failure = failureOfConnecting(to: address, seconds: seconds)
            if failure == 0 { return }
            reason = String(cString: strerror(failure))
            next = address.ai_next
        }
        throw Failure(description: reason)
    }

    private static func failureOfConnecting(to address: addrinfo, seconds: Int32) -> Int32 {
        let file = socket(
            address.ai_family, address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return errno }
        defer { close(file) }
        if Glibc.connect(file, address.ai_addr, address.ai_addrlen) == 0 { return 0 }
        guard errno == EINPROGRESS else { return errno }
        var waiting = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, seconds * 1000) == 1 else { return ETIMEDOUT }
        var failure: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(file, SOL_SOCKET, SO_ERROR, &failure, &length)
        return failure
    }
}
