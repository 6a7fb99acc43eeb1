/// Several tries at one request: waits for all of them and shows what there is to pick from.
struct VariantChoice {
    let site: String
    let client: APIClient
    let timeout: Duration

    func show(_ tries: [EditCommand.Accepted.Variant], asJSON: Bool) async throws {
        var jobs: [(edit: String, job: JobBody)] = []
        for one in tries {
            let job = try await JobFollower(client: client).follow(one.job.id, timeout: timeout, asJSON: asJSON)
            jobs.append((one.edit.id, job))
        }
        if asJSON {
            return Console.print(
                object: [
                    "variants": jobs.map { entry -> [String: Any] in
                        var object: [String: Any] = [
                            "edit_id": entry.edit, "job_id": entry.job.id, "state": entry.job.state,
                        ]
                        if let version = entry.job.version { object["version"] = version }
                        return object
                    }
                ])
        }
        for line in Self.lines(jobs, site: site) { Console.print(line) }
        guard jobs.contains(where: { $0.job.version != nil }) else {
            throw CLIError(
                .failed, "none of the tries came to a version",
                nextStep: "Look with: pagewright why \(tries[0].job.id).")
        }
    }

    static func lines(_ jobs: [(edit: String, job: JobBody)], site: String) -> [String] {
        var lines = ["\(jobs.count) tries; the preview shows none of them until you pick one:", ""]
        for (number, entry) in jobs.enumerated() {
            let job = entry.job
            let result = job.version.map { "version \($0)" } ?? job.failure?.message ?? job.state
            lines.append("  \(number + 1)  \(result)  \((job.summary ?? "").prefix(100))")
            if job.version != nil { lines.append("     pagewright pick \(site) \(entry.edit)") }
        }
        let made = jobs.compactMap(\.job.version)
        if made.count > 1 {
            lines += ["", "Compare: pagewright diff \(site) \(made[0]) \(made[1]) --view outline"]
        }
        return lines
    }
}
