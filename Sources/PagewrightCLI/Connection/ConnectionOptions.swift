import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore

/// The options of every verb that talks to a coordinator.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The coordinator's address (or PAGEWRIGHT_URL).", valueName: "address"))
    var url: ServerAddress?

    @Option(
        help: ArgumentHelp("An access token (or PAGEWRIGHT_TOKEN); default: what `login` saved.", valueName: "token"))
    var token: String?

    @Flag(help: "Print the API's JSON instead of text for people.")
    var json = false

    private var environment: [String: String] { ProcessInfo.processInfo.environment }

    var store: CredentialStore { CredentialStore(environment: environment) }

    /// `--url`, else PAGEWRIGHT_URL, else where you logged in last, else this machine.
    func server() throws -> ServerAddress {
        if let url { return url }
        if let text = environment["PAGEWRIGHT_URL"], !text.isEmpty {
            guard let address = ServerAddress(argument: text) else {
                throw CLIError(.usage, "PAGEWRIGHT_URL is not an address: \(text)")
            }
            return address
        }
        if let current = try store.load().current, let address = ServerAddress(argument: current) { return address }
        return .standard
    }

    /// A client for the scope of `body`.
    func withClient<Value>(
        as source: TokenSource? = nil, _ body: (APIClient) async throws -> Value
    ) async throws -> Value {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.timeout.connect = .seconds(10)
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let value = try await body(APIClient(server: try server(), tokens: source ?? tokens, http: http))
            try await http.shutdown()
            return value
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private var tokens: TokenSource {
        if let token { return .fixed(token) }
        if let token = environment["PAGEWRIGHT_TOKEN"], !token.isEmpty { return .fixed(token) }
        return .saved(store)
    }
}
