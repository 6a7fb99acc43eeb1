/// Has pictures of a version taken, and waits for a browser to be done with it.
struct LookFollower {
    struct Request: Encodable {
        let pages: [String]
    }

    let client: APIClient
    let site: String
    let timeout: Duration
    let asJSON: Bool

    /// - Parameter waiting: whether to wait for the pictures too, and not only until a browser is at work.
    func take(_ pages: [String], of version: Int, waiting: Bool = true) async throws {
        let deadline = ContinuousClock.now + timeout
        let job: JobBody = try await client.send(
            .post, "/sites/\(site)/versions/\(version)/checks", body: .json(Request(pages: pages))
        ).decode()
        let last = try await JobFollower(client: client).follow(job.id, timeout: timeout, asJSON: asJSON)
        guard last.state == "succeeded" else { throw ChangeCard.failure(of: last) }
        if waiting { _ = try await end(of: version, before: deadline) }
    }

    /// Waits until no browser looks at a version any more. Returns what was seen.
    ///
    /// - Parameter subject: what to say of the wait, instead of that it is one.
    func end(
        of version: Int, before deadline: ContinuousClock.Instant, saying subject: String? = nil
    ) async throws -> APIResponse {
        var progress = ProgressReporter(asJSON: asJSON)
        defer { progress.end() }
        while true {
            let answer = try await client.send(.get, "/sites/\(site)/versions/\(version)/checks")
            guard try answer.decode(PageChecksBody.self).state == "waiting" else { return answer }
            progress.show(subject ?? "waiting for the browser that looks at version \(version)")
            guard ContinuousClock.now < deadline else {
                throw CLIError(
                    .timedOut, "version \(version) of \(site) is still being looked at",
                    nextStep: "Look again with: pagewright checks \(site) \(version) --wait.")
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
