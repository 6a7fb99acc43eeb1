import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

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
                    let place = try await place(visit, view)
                    _ = try await services.jobs.cancel(
                        view.job.id, for: try visit.principal, once: visit.once { _ in place })
                } catch let error as ServiceError where error.rule == "job-state" {
                    // It ended meanwhile; the page that follows shows how.
                }
                return .redirect(to: try await place(visit, view))
            },
            .post("/jobs/{job}/retry") { visit in
                let old = try await services.jobs.find(try visit.identifier("job"), for: try visit.principal)
                let back = try await place(visit, old)
                let isHere = visit.form["back"] == nil
                let view = try await services.jobs.retry(
                    old.job.id, for: try visit.principal,
                    once: visit.once { isHere ? "/jobs/\($0.job.id)" : back })
                return .redirect(to: isHere ? "/jobs/\(view.job.id)" : back)
            },
            .post("/jobs/{job}/accept") { visit in
                let view = try await services.jobs.find(try visit.identifier("job"), for: try visit.principal)
                let site = try await services.sites.find(view.job.site.text, for: try visit.principal).site
                let place = "/sites/\(site.slug)/studio?done=accepted&version="
                let errors = Set(view.findings.filter { $0.severity == .error }.map(\.key))
                let version = try await services.acceptance.accept(
                    view.job.id, findings: errors.map { FindingReference(rule: $0.rule, path: $0.path) },
                    for: try visit.principal, once: visit.once { place + $0.version.number.description })
                return .redirect(to: place + version.version.number.description)
            },
            .get("/jobs/{job}/log") { try await log($0) },
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
        let log = try await services.jobs.log(view.job.id, after: 0, for: principal)
        var values = JobCard(view: view).values
        values["siteName"] = site.site.name
        values["sitePath"] = "/sites/\(site.site.slug)"
        values["log"] = log.text
        values["logNumber"] = log.last
        values["hasLog"] = !log.text.isEmpty
        if let host = view.host { values["host"] = host.text }
        return values
    }

    /// The log from a piece on, for a page that has all before it.
    private func log(_ visit: PageVisit) async throws -> PageAnswer {
        let after = Int64(visit.query.text("after")) ?? 0
        let log = try await services.jobs.log(
            try visit.identifier("job"), after: after, for: try visit.principal)
        var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"]
        if let name = HTTPField.Name("X-Log-Number") { headers[name] = String(log.last) }
        return .response(
            Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: log.text))))
    }

    private func place(_ visit: PageVisit, _ view: JobView) async throws -> String {
        switch visit.form["back"] {
        case "studio":
            let site = try await services.sites.find(view.job.site.text, for: try visit.principal)
            return "/sites/\(site.site.slug)/studio"
        case "jobs": return "/jobs"
        default: return "/jobs/\(view.job.id)"
        }
    }
}
