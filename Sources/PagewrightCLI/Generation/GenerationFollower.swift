/// Follows the job of a generation and shows what came of it: the plan, or the change card of the new version.
struct GenerationFollower {
    let client: APIClient
    let site: String

    func follow(_ job: String, timeout: Duration, asJSON: Bool) async throws {
        let job = try await JobFollower(client: client).follow(job, timeout: timeout, asJSON: asJSON)
        let answer = try await client.send(.get, "/sites/\(site)/generation")
        let generation = try answer.decode(GenerationBody.self)
        guard generation.state == "waiting_for_plan" else {
            return try await ChangeCard(job: job, client: client).show(asJSON: asJSON)
        }
        guard !asJSON else { return Console.print(json: answer.body) }
        for line in generation.lines(site: site) { Console.print(line) }
        Console.print("")
        Console.print("Go on with: pagewright generate continue \(site)")
        Console.print("Change it first: pagewright generate continue \(site) --plan FILE")
    }
}
