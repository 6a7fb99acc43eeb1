import Coordinator
import Domain

/// The machines, for admins.
struct FleetPages: Sendable {
    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/fleet") { .page(try await page($0)) },
            .get("/fleet/list") { .part("host-list", try await list($0)) },
            .post("/fleet/invite") { visit in
                do {
                    let invitation = try await services.hosts.invite(
                        roles: visit.form.all("role"), for: try visit.principal)
                    // Shown in the answer itself: the token is kept nowhere and cannot be shown again.
                    return .page(try await page(visit, invitation))
                } catch let error as ServiceError where error.code == .invalidArgument {
                    return .page(try await page(visit, nil, error))
                }
            },
            change("drain") { try await services.hosts.drain($0, for: $1) },
            change("resume") { try await services.hosts.resume($0, for: $1) },
            change("revoke") { try await services.hosts.revoke($0, for: $1) },
        ]
    }

    private func change(
        _ word: String, _ work: @escaping @Sendable (HostID, Principal) async throws -> HostView
    ) -> PageRoute {
        .post("/fleet/{host}/" + word) { visit in
            _ = try await work(try visit.identifier("host"), try visit.principal)
            return .redirect(to: "/fleet")
        }
    }

    private func page(
        _ visit: PageVisit, _ invitation: Invitation? = nil, _ error: ServiceError? = nil
    ) async throws -> Page {
        var page = Page(
            "fleet", title: "Fleet", section: .fleet, command: "pagewright host invite --role worker --role serving")
        page.values = try await list(visit)
        if let invitation {
            page.values["invitation"] = [
                "command": invitation.command, "expires": Wording.time(invitation.expiresAt),
                "roles": invitation.roles.map(\.rawValue).sorted().joined(separator: " and "),
            ]
        }
        if let error {
            page.status = error.status
            page.values["error"] = error.banner
        }
        return page
    }

    private func list(_ visit: PageVisit) async throws -> [String: Any] {
        let hosts = try await services.hosts.list(for: try visit.principal)
        return [
            "hosts": hosts.map(Self.values), "isEmpty": hosts.isEmpty,
            "noWorker": !hosts.contains {
                $0.isConnected && $0.host.roles.contains(.worker) && $0.host.state == .active
            },
        ]
    }

    private static func values(_ view: HostView) -> [String: Any] {
        let host = view.host
        var values: [String: Any] = [
            "id": host.id.text, "name": host.name, "roles": host.roles.map(\.rawValue).sorted().joined(separator: ", "),
            "version": host.agentVersion, "jobs": view.jobs.map(\.text),
            "jobCount": Wording.count(view.jobs.count, "job"),
            "credit": view.credit, "isWorker": host.roles.contains(.worker),
            "certificate": Wording.time(host.certificateExpiresAt), "path": "/fleet/\(host.id)",
            "canDrain": host.state == .active, "canResume": host.state == .draining || host.state == .quarantined,
            "canRevoke": host.state != .revoked, "isRevoked": host.state == .revoked,
        ]
        switch host.state {
        case .revoked:
            values["kind"] = "plain"
            values["state"] = "Revoked"
        case .quarantined:
            values["kind"] = "danger"
            values["state"] = "Quarantined: two machines use its certificate"
        case .draining:
            values["kind"] = "warn"
            values["state"] = view.isConnected ? "Draining" : "Draining, not connected"
        case .active:
            values["kind"] = view.isConnected ? "ok" : "danger"
            values["state"] = view.isConnected ? "Connected" : "Not connected"
        }
        if let seen = host.lastSeenAt { values["seen"] = Wording.time(seen) }
        if let free = view.diskFreeBytes, let total = view.diskTotalBytes, total > 0 {
            values["disk"] = [
                "used": Int(100 - free * 100 / total), "text": "\(Wording.size(free)) of \(Wording.size(total)) free",
            ]
        }
        return values
    }
}
