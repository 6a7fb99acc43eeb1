import Coordinator
import Domain

/// What is being worked on, what waits and why, and what is over.
struct JobPages: Sendable {
    private static let pageSize = 50

    let services: WebServices

    var routes: [PageRoute] {
        [
            .get("/jobs") { visit in
                var page = Page("jobs", title: "Jobs", section: .jobs, command: "pagewright jobs")
                page.values = try await list(visit)
                return .page(page)
            },
            .get("/jobs/list") { .part("job-list", try await list($0)) },
            .get("/jobs/{job}") { visit in
                let values = try await job(visit)
                var page = Page(
                    "job", title: "Job", section: .jobs, command: "pagewright logs -f \(visit.parameter("job"))")
                page.values = values
                return .page(page)
            },
            .get("/jobs/{job}/state") { .part("job-state", try await job($0)) },
            .post("/jobs/{job}/cancel") { visit in
                let view = try await services.jobs.find(try visit.identifier("job"), for: try visit.principal)
                do {
                    _ = try await services.jobs.cancel(view.job.id, for: try visit.principal)
                } catch let error as ServiceError where error.rule == "job-state" {
                    // It ended meanwhile; the page that follows shows how.
                }
                return try await back(visit, view)
            },
            .post("/jobs/{job}/retry") { visit in
                let view = try await services.jobs.retry(try visit.identifier("job"), for: try visit.principal)
                return try await back(visit, view)
            },
        ]
    }

    private func list(_ visit: PageVisit) async throws -> [String: Any] {
        let principal = try visit.principal
        let jobs = try await services.jobs.list(
            site: nil, state: nil, page: try visit.page(limit: Self.pageSize), for: principal)
        var names: [SiteID: SiteView] = [:]
        func rows(_ matching: (Job) -> Bool) async throws -> [[String: Any]] {
            var rows: [[String: Any]] = []
            for view in jobs.items where matching(view.job) {
                var values = JobCard(view: view).values
                if names[view.job.site] == nil {
                    names[view.job.site] = try? await services.sites.find(view.job.site.text, for: principal)
                }
                if let site = names[view.job.site] {
                    values["siteName"] = site.site.name
                    values["sitePath"] = "/sites/\(site.site.slug)"
                }
                rows.append(values)
            }
            return rows
        }
        let running = try await rows { $0.grant != nil }
        let waiting = try await rows { $0.grant == nil && !$0.isTerminal }
        let over = try await rows { $0.isTerminal }
        var values: [String: Any] = [
            "running": running, "waiting": waiting, "over": over, "hasRunning": !running.isEmpty,
            "hasWaiting": !waiting.isEmpty, "hasOver": !over.isEmpty,
            "isEmpty": jobs.items.isEmpty && visit.query["cursor"] == nil,
        ]
        if let cursor = jobs.nextCursor { values["more"] = cursor.addingPercents() }
        return values
    }

    private func job(_ visit: PageVisit) async throws -> [String: Any] {
        let principal = try visit.principal
        let view = try await services.jobs.find(try visit.identifier("job"), for: principal)
        let site = try await services.sites.find(view.job.site.text, for: principal)
        let log = try await services.jobs.log(view.job.id, for: principal)
        var values = JobCard(view: view).values
        values["siteName"] = site.site.name
        values["sitePath"] = "/sites/\(site.site.slug)"
        values["log"] = log
        values["hasLog"] = !log.isEmpty
        if let host = view.host { values["host"] = host.text }
        return values
    }

    private func back(_ visit: PageVisit, _ view: JobView) async throws -> PageAnswer {
        switch visit.form["back"] {
        case "studio":
            let site = try await services.sites.find(view.job.site.text, for: try visit.principal)
            return .redirect(to: "/sites/\(site.site.slug)/studio")
        case "jobs": return .redirect(to: "/jobs")
        default: return .redirect(to: "/jobs/\(view.job.id)")
        }
    }
}
