import Foundation

/// What came of an edit: the summary, files, findings, and where to look at it.
struct ChangeCard {
    let job: JobBody
    let client: APIClient

    /// Prints the card, or throws what the job failed with. Waits a moment for hosts to confirm the preview.
    func show(asJSON: Bool) async throws {
        let raw = try await client.send(.get, "/jobs/\(job.id)")
        if job.state == "answered" {
            guard !asJSON else { return Console.print(json: raw.body) }
            for line in Self.planLines(try raw.decode()) { Console.print(line) }
            return
        }
        guard job.state == "succeeded" else {
            if asJSON { Console.print(json: raw.body) }
            throw Self.failure(of: job)
        }
        guard let number = job.version else {
            if asJSON { return Console.print(json: raw.body) }
            return Console.print(job.summary ?? "Done; nothing had to change.")
        }
        let versionAnswer = try await client.send(.get, "/sites/\(job.siteId)/versions/\(number)")
        let version = try versionAnswer.decode(VersionBody.self)
        var wait = ServingWait()
        wait.noWait = false
        wait.timeout = 15
        var progress = ProgressReporter(asJSON: asJSON)
        var notServed: CLIError?
        do {
            _ = try await wait.untilServed(job.siteId, by: client, changedAt: version.createdAt, progress: &progress)
        } catch let error as CLIError where error.status == .timedOut || error.status == .failed {
            notServed = error
        }
        let siteAnswer = try await client.send(.get, "/sites/\(job.siteId)")
        var diffAnswer: APIResponse?
        if let parent = version.parent {
            diffAnswer = try await client.send(.get, "/sites/\(job.siteId)/versions/\(parent)/diff/\(number)")
        }
        if asJSON {
            return Console.print(
                object: try Self.object([
                    ("job", raw), ("version", versionAnswer), ("diff", diffAnswer), ("site", siteAnswer),
                ]))
        }
        let lines = Self.lines(
            job: job, version: version, site: try siteAnswer.decode(), diff: try diffAnswer?.decode(),
            notServed: notServed?.sentence)
        for line in lines { Console.print(line) }
    }

    static func lines(job: JobBody, version: VersionBody, site: SiteBody, diff: DiffBody?, notServed: String?)
        -> [String]
    {
        var lines = ["Version \(version.number) of \(site.slug) is ready.", ""]
        lines += (job.summary ?? version.summary).split(whereSeparator: \.isNewline).map { "  \($0)" }
        lines.append("")
        if let diff {
            lines.append("  Files     \(diff.files.count) of \(version.files) changed")
            lines += diff.files.prefix(20).map { "    \($0.line)" }
            if diff.files.count > 20 { lines.append("    … and \(diff.files.count - 20) more") }
        } else {
            lines.append("  Files     \(version.files)")
        }
        if let review = job.review { lines.append("  Scope     \(review.sentence)") }
        let checks = version.findings.isEmpty ? "nothing found" : Wording.count(version.findings.count, "finding")
        lines.append("  Checks    \(checks)")
        lines += version.findings.prefix(10).map { "    \($0.line)" }
        if version.findings.count > 10 { lines.append("    … and \(version.findings.count - 10) more") }
        if job.fromCache == true {
            lines.append("  Tokens    from cache, 0 tokens")
        } else if let usage = job.usage, usage.outputTokens > 0 {
            lines.append(
                "  Tokens    \(usage.uncachedInputTokens) in, \(usage.cachedInputTokens) cached, \(usage.outputTokens) out"
            )
        }
        lines.append("  Preview   \(site.previewUrl)  (\(notServed ?? "served by \(site.confirmations)"))")
        lines += ["", "Show it to visitors: pagewright promote \(site.slug)"]
        return lines
    }

    /// An answer instead of a change.
    static func planLines(_ job: JobBody) -> [String] {
        var lines = ["The plan (nothing was changed):", ""]
        lines += (job.summary ?? "").split(whereSeparator: \.isNewline).map { "  \($0)" }
        let files = job.plannedFiles ?? []
        lines += ["", "  Files     \(files.isEmpty ? "none named" : files.joined(separator: ", "))", ""]
        lines.append("Carry it out: pagewright edit \(job.siteId) \"do it\"")
        return lines
    }

    /// How a refused change is looked at and accepted.
    static func refusalHints(of job: JobBody) -> [String] {
        var lines = ["  What it did: pagewright diff \(job.siteId) --job \(job.id) --view outline"]
        var seen: Set<String> = []
        let names = (job.findings ?? []).filter { $0.severity == "error" }.map { "\($0.rule):\($0.path ?? "")" }
            .filter { seen.insert($0).inserted }
        guard !names.isEmpty else { return lines }
        let flags = names.prefix(5).map { "--finding '\($0.replacing("'", with: "'\\''"))'" }.joined(separator: " ")
        lines.append("  Accept it:   pagewright accept \(job.id) \(flags)")
        return lines
    }

    /// Why the job came to nothing.
    static func failure(of job: JobBody) -> CLIError {
        let findings = job.findings ?? []
        return switch job.state {
        case "cancelled":
            CLIError(.failed, "the job \(job.id) was cancelled; nothing changed")
        case "failed" where job.failure?.code == "engine-refused":
            CLIError(
                .failed, job.failure?.message ?? "the engine refused",
                nextStep: "Say it in other words, or ask another engine with --engine.")
        case "failed" where job.isRefused:
            CLIError(
                .failed, job.failure?.message ?? "the checks refused the change; nothing changed",
                nextStep: ([findings.first?.advice ?? ""]
                    + refusalHints(of: job).map { $0.trimmingCharacters(in: .whitespaces) })
                    .filter { !$0.isEmpty }.joined(separator: "\n        "),
                findings: findings)
        default:
            CLIError(
                .failed, job.failure?.message ?? "the job \(job.id) ended as \(job.state); nothing changed",
                nextStep: "Look with: pagewright logs \(job.id); try again with: pagewright retry \(job.id).",
                findings: findings)
        }
    }

    /// One object of whole answers.
    static func object(_ parts: [(name: String, answer: APIResponse?)]) throws -> [String: Any] {
        var object: [String: Any] = [:]
        for (name, answer) in parts {
            object[name] = try answer.map { try JSONSerialization.jsonObject(with: $0.body) } ?? NSNull()
        }
        return object
    }
}
