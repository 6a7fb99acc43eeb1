import Coordinator
import Domain
import Persistence

/// How the coordinator is: what it needs, what waits, what it holds back, and what it allows.
struct HealthPages: Sendable {
    let services: WebServices
    let settings: WebSettings

    var routes: [PageRoute] {
        [
            .get("/admin/health") { visit in
                var page = Page("health", title: "System health", section: .admin, command: "pagewright brakes")
                page.values = try await values(visit)
                page.values["tabs"] = AdminTabs(.health).values
                if visit.query["done"] == "released" {
                    page.values["notice"] = ["text": "The brake holds nothing back for five minutes."]
                }
                return .page(page)
            },
            .get("/admin/health/state") { .part("health-state", try await values($0)) },
            .post("/admin/brakes/{brake}/release") { visit in
                _ = try await services.brakes.release(visit.parameter("brake"), for: try visit.principal)
                return .redirect(to: "/admin/health?done=released")
            },
            .post("/admin/recovery/accept") { visit in
                _ = try await services.recovery.accept(for: try visit.principal)
                return .redirect(to: "/admin/health")
            },
        ]
    }

    private func values(_ visit: PageVisit) async throws -> [String: Any] {
        let principal = try visit.principal
        let brakes = try await services.brakes.list(for: principal)
        let recovery = try await services.recovery.view(for: principal)
        let jobs = try await services.jobs.counts(for: principal)
        let hosts = try await services.hosts.list(for: principal)
        let checks = await services.health()
        var values: [String: Any] = [
            "checks": checks.map { check -> [String: Any] in
                [
                    "name": Self.title(of: check.name), "isReady": check.isReady,
                    "detail": check.detail.isEmpty ? "" : Wording.sentence(check.detail),
                    "hasNote": !check.detail.isEmpty,
                    "kind": !check.isReady ? "danger" : check.detail.isEmpty ? "ok" : "warn",
                    "state": check.isReady ? (check.detail.isEmpty ? "Works" : "Works, with a note") : "Does not work",
                ]
            },
            "isWell": checks.allSatisfy(\.isReady) && brakes.isEmpty && !recovery.isActive,
            "waiting": (jobs[.queued] ?? 0) + (jobs[.ready] ?? 0), "running": jobs[.leased] ?? 0,
            "done": jobs[.succeeded] ?? 0, "failed": (jobs[.failed] ?? 0) + (jobs[.dead] ?? 0),
            "connected": hosts.count(where: \.isConnected), "hosts": Wording.count(hosts.count, "host"),
            "brakes": brakes.map { brake -> [String: Any] in
                var values: [String: Any] = [
                    "name": brake.name, "detail": brake.detail, "engaged": Wording.time(brake.engagedAt),
                    "path": "/admin/brakes/\(brake.name.addingPercents())",
                ]
                if let released = brake.releasedAt { values["released"] = Wording.time(released) }
                return values
            },
            "hasBrakes": !brakes.isEmpty, "version": settings.version,
            "limits": settings.limits.map { ["name": $0.name, "value": $0.value] },
        ]
        if recovery.isActive {
            values["recovery"] = [
                "reason": recovery.reason ?? "", "finds": Wording.count(recovery.finds.count, "find"),
            ]
        }
        return values
    }

    private static func title(of check: String) -> String {
        switch check {
        case "database": "Database"
        case "schema": "Tables of the database"
        case "blobs": "Files"
        case "recovery": "Memory of the database"
        case "brakes": "Brakes"
        case "redis": "Redis"
        case "backups": "Backups"
        default: check
        }
    }
}
