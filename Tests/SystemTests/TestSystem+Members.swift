import Foundation
import Testing

extension TestSystem {
    /// Registers the first user, who is an administrator, and lets the host join; both programs run then.
    func begin(options: [String] = []) async throws -> APIClient {
        try startCoordinator(options: options)
        var client = APIClient(base: api)
        let session = try await client.send(
            "POST", "/api/v1/auth/register",
            ["email": "ann@example.org", "password": "correct horse battery", "name": "Ann"], expecting: [201])
        client.token = session["access_token"] as? String
        try await join()
        try startAgent()
        return client
    }

    /// Makes a site and waits until nginx shows it.
    func makeSite(_ slug: String, by client: APIClient) async throws {
        try await client.send(
            "POST", "/api/v1/sites", ["slug": slug, "name": slug, "template": "bakery"], expecting: [201])
        try await until("\(slug) to be served") { await visit("\(slug).localhost")?.status == 200 }
    }

    /// Runs `pagewright` as the user of `client`.
    func pagewright(_ arguments: [String], as client: APIClient) async throws -> Tool.Ended {
        try await Tool.run("pagewright", arguments, environment: environment(of: client), in: folder)
    }

    /// What `pagewright` finds in its environment.
    func environment(of client: APIClient) -> [String: String] {
        ["PAGEWRIGHT_URL": api, "PAGEWRIGHT_TOKEN": client.token ?? "", "PAGEWRIGHT_CONFIG": folder + "/config"]
    }

    /// What `pagewright-agent status` says.
    func agentStatus() async throws -> Tool.Ended {
        try await Tool.run("pagewright-agent", ["status", "--json", "--state", folder + "/a"], in: folder)
    }
}
