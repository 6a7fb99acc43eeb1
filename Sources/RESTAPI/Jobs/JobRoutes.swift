import Coordinator
import Domain
import HTTPTypes

struct JobRoutes {
    let jobs: JobService
    let acceptance: ChangeAcceptance
    let comparison: VersionComparison
    let edits: EditService
    let budgets: BudgetService

    private static let feature = "Jobs"
    private static let path = "/api/v1/jobs/{job}"

    var routes: [APIRoute] {
        [list, find, cancel, retry, replay, accept, diff, unlock, log, usage]
    }

    private var list: APIRoute {
        APIRoute(
            .get, "/api/v1/jobs", "Jobs of your sites, newest first; admins see all", feature: Self.feature,
            query: [
                .init(name: "site", schema: .text, description: "The id or the slug of a site."),
                .init(
                    name: "state", schema: .words(Job.StateName.allCases.map(\.rawValue)),
                    description: "Only jobs in this state."),
            ] + .paging, content: .json(JobBody.table.pageSchema), errors: [.notFound]
        ) { request in
            let page = try await jobs.list(
                site: request.query["site"], state: request.query["state"], page: try request.page(),
                for: try request.principal)
            return .json(JobBody.table.json(page))
        }
    }

    private var find: APIRoute {
        APIRoute(
            .get, Self.path, "One job", feature: Self.feature, content: .json(JobBody.table.schema), errors: [.notFound]
        ) { request in
            .json(JobBody.table.json(try await jobs.find(try request.identifier("job"), for: try request.principal)))
        }
    }

    private var cancel: APIRoute {
        APIRoute(
            .post, Self.path + "/cancel", "Stop a job", feature: Self.feature, status: .accepted,
            content: .json(JobBody.table.schema), errors: [.notFound, .conflict]
        ) { request in
            try await request.once(JobBody.table.json) {
                try await jobs.cancel(try request.identifier("job"), for: try request.principal, once: $0)
            }
        }
    }

    private var retry: APIRoute {
        APIRoute(
            .post, Self.path + "/retry", "Ask once more for what a job did not do; makes a new job",
            feature: Self.feature, status: .accepted, content: .json(JobBody.table.schema),
            errors: [.notFound, .conflict, .quotaExceeded]
        ) { request in
            try await request.once(JobBody.table.json) {
                try await jobs.retry(try request.identifier("job"), for: try request.principal, once: $0)
            }
        }
    }

    private var accept: APIRoute {
        APIRoute(
            .post, Self.path + "/accept",
            "Accept, for once, findings of a change that was refused; it is checked again and becomes a version",
            feature: Self.feature,
            input: .json(
                .object([
                    .init(
                        "findings",
                        .array(
                            .object([
                                .init("rule", .text),
                                .init("path", .text, "The file; * for every file; empty for the site."),
                            ])))
                ])), status: .created, content: .json(VersionBody.table.schema),
            errors: [.notFound, .conflict, .failedPrecondition, .validationFailed]
        ) { request in
            let references = try request.body.objects("findings").map { finding in
                try FindingReference("\(finding.string("rule")):\(finding.string("path"))")
            }
            return try await request.once(VersionBody.table.json) {
                try await acceptance.accept(
                    try request.identifier("job"), findings: references, for: try request.principal, once: $0)
            }
        }
    }

    private var replay: APIRoute {
        APIRoute(
            .post, Self.path + "/replay",
            "Carry an edit out once more from what its model said then, without a model; makes a new job",
            feature: Self.feature, status: .accepted, content: .json(JobBody.table.schema),
            errors: [.notFound, .conflict, .quotaExceeded]
        ) { request in
            try await request.once(JobBody.table.json) {
                try await edits.replay(try request.identifier("job"), for: try request.principal, once: $0)
            }
        }
    }

    private var diff: APIRoute {
        APIRoute(
            .get, Self.path + "/diff", "What a job changed, also when it was refused", feature: Self.feature,
            query: [ComparisonBody.viewParameter([.files, .text, .outline])], content: .json(ComparisonBody.schema),
            errors: [.notFound, .failedPrecondition]
        ) { request in
            let subject = VersionComparison.Subject.job(try request.identifier("job"))
            return .json(
                try await ComparisonBody.json(
                    try ComparisonBody.View(request, among: [.files, .text, .outline]), of: subject, by: comparison,
                    for: try request.principal))
        }
    }

    private var usage: APIRoute {
        APIRoute(
            .get, Self.path + "/usage", "What each attempt of a job used of a model", feature: Self.feature,
            content: .json(LedgerBody.table.listSchema), errors: [.notFound]
        ) { request in
            .json(
                LedgerBody.table.json(
                    try await budgets.usage(of: try request.identifier("job"), for: try request.principal)))
        }
    }

    private var unlock: APIRoute {
        APIRoute(
            .post, Self.path + "/unlock", "Take a job from its host, as if the host had fallen silent",
            feature: Self.feature, access: .admin, content: .json(JobBody.table.schema),
            errors: [.notFound, .conflict],
            keepsAnswers: false
        ) { request in
            .json(JobBody.table.json(try await jobs.unlock(try request.identifier("job"), for: try request.principal)))
        }
    }

    private var log: APIRoute {
        APIRoute(
            .get, Self.path + "/log", "What the attempts printed", feature: Self.feature,
            content: .other("text/plain"), errors: [.notFound]
        ) { request in
            .text(
                try await jobs.log(try request.identifier("job"), for: try request.principal),
                type: "text/plain; charset=utf-8")
        }
    }
}
