import Coordinator
import Domain

/// The machines, for admins.
struct FleetPages: Sendable {
    private static let sitesOnPage = 50

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
            .get("/fleet/{host}") { visit in
                let view = try await services.hosts.find(try visit.identifier("host"), for: try visit.principal)
                var page = Page(
                    "host", title: view.host.name, section: .fleet, command: "pagewright host drain \(view.host.id)")
                page.values = try await host(view, visit)
                return .page(page)
            },
            .get("/fleet/{host}/state") { visit in
                let view = try await services.hosts.find(try visit.identifier("host"), for: try visit.principal)
                return .part("host-state", try await host(view, visit))
            },
            change("drain") { try await services.hosts.drain($0, for: $1, once: $2) },
            change("resume") { try await services.hosts.resume($0, for: $1, once: $2) },
            change("revoke") { try await services.hosts.revoke($0, for: $1, once: $2) },
        ]
    }

    private func change(
        _ word: String, _ work: @escaping @Sendable (HostID, Principal, Once<HostView>) async throws -> HostView
    ) -> PageRoute {
        .post("/fleet/{host}/" + word) { visit in
            let host: HostID = try visit.identifier("host")
            let place = visit.form["back"] == "host" ? "/fleet/\(host)" : "/fleet"
            _ = try await work(host, try visit.principal, visit.once { _ in place })
            return .redirect(to: place)
        }
    }

    /// All that is known of one host.
    private func host(_ view: HostView, _ visit: PageVisit) async throws -> [String: Any] {
        var values = Self.values(view)
        values["back"] = "host"
        values["joined"] = Wording.time(view.host.createdAt)
        let (sites, total) = try await services.hosts.sites(
            on: view.host.id, limit: Self.sitesOnPage, for: try visit.principal)
        values["isServing"] = view.host.roles.contains(.serving)
        values["hasSites"] = !sites.isEmpty
        values["siteCount"] = Wording.count(total, "site")
        if total > sites.count { values["moreSites"] = total - sites.count }
        values["sites"] = sites.map { hosted -> [String: Any] in
            var row: [String: Any] = [
                "name": hosted.site.name, "path": "/sites/\(hosted.site.slug)/studio",
                "updated": Wording.time(hosted.placement.updatedAt),
            ]
            switch hosted.placement.state {
            case .applied: (row["kind"], row["state"]) = ("ok", "Up to date")
            case .pending: (row["kind"], row["state"]) = ("busy", "Catching up")
            case .refused:
                (row["kind"], row["state"]) = ("danger", "Refused: \(hosted.placement.error ?? "no reason given")")
            }
            return row
        }
        return values
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
                "roles": Self.words(for: invitation.roles),
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

    /// What the roles are for.
    private static func words(for roles: Set<HostRole>) -> String {
        [(HostRole.worker, "works on changes"), (.serving, "serves sites")].filter { roles.contains($0.0) }.map(\.1)
            .joined(separator: " and ")
    }

    /// Such as `1 job, room for 3 more`.
    private static func work(_ view: HostView) -> String {
        guard view.host.roles.contains(.worker) else { return "none: it serves sites only" }
        let jobs = view.jobs.isEmpty ? "no job" : Wording.count(view.jobs.count, "job")
        guard view.isConnected else { return jobs }
        return jobs + (view.credit > 0 ? ", room for \(view.credit)\(view.jobs.isEmpty ? "" : " more")" : ", no room")
    }

    private static func values(_ view: HostView) -> [String: Any] {
        let host = view.host
        var values: [String: Any] = [
            "id": host.id.text, "name": host.name, "roles": Self.words(for: host.roles),
            "version": host.agentVersion, "jobs": view.jobs.map(\.text),
            "work": Self.work(view),
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
            if !view.isConnected {
                values["hint"] =
                    "Start its agent there: it catches up by itself. What it serves, visitors still get."
            }
        }
        if let seen = host.lastSeenAt { values["seen"] = Wording.time(seen) }
        if let free = view.diskFreeBytes, let total = view.diskTotalBytes, total > 0 {
            let used = Int(100 - free * 100 / total)
            values["disk"] = [
                "used": used, "text": "\(Wording.size(free)) of \(Wording.size(total)) free", "isNear": used >= 85,
            ]
        }
        return values
    }
}
