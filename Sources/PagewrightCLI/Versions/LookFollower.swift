/// Has pictures of a version taken, and waits for them.
struct LookFollower {
    struct Request: Encodable {
        let pages: [String]
    }

    let client: APIClient
    let site: String
    let timeout: Duration

    /// - Parameter waiting: whether to wait for the pictures too, and not only until a browser is at work.
    func take(_ pages: [String], of version: Int, asJSON: Bool, waiting: Bool = true) async throws {
        let deadline = ContinuousClock.now + timeout
        let place: APIPath = "/sites/\(site)/versions/\(version)/checks"
        let job: JobBody = try await client.send(.post, place, body: .json(Request(pages: pages))).decode()
        let last = try await JobFollower(client: client).follow(job.id, timeout: timeout, asJSON: asJSON)
        guard last.state == "succeeded" else { throw ChangeCard.failure(of: last) }
        guard waiting else { return }
        while try await client.send(.get, place).decode(PageChecksBody.self).state == "waiting" {
            guard ContinuousClock.now < deadline else {
                throw CLIError(
                    .timedOut, "version \(version) of \(site) is still being looked at",
                    nextStep: "Look again with: pagewright checks \(site) \(version) --wait.")
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
