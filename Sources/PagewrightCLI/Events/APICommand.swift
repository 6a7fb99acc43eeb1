import ArgumentParser
import Foundation

struct APICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api", abstract: "Send any request to the API as you.",
        discussion: """
            The answer's body goes to standard output as it is. A path without /api/ gets /api/v1 before it.

            Example: pagewright api GET /sites
            Example: pagewright api PATCH /sites/bakery --data '{"name":"Anna'\\''s Bakery"}'
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "GET, POST, PUT, PATCH or DELETE.") var method: String
    @Argument(help: "The path, with its query.") var path: String
    @Option(help: "JSON to send; @FILE reads a file, - standard input.") var data: String?

    func run() async throws {
        let body: RequestBody =
            switch data {
            case nil: .none
            case "-": .json(FileHandle.standardInput.readDataToEndOfFile())
            case let text? where text.hasPrefix("@"): .json(try Self.contents(of: String(text.dropFirst())))
            case let text?: .json(Data(text.utf8))
            }
        let isWhole = ["/api/", "/healthz", "/readyz", "/metrics", "/openapi.json"].contains(where: path.hasPrefix)
        let target = isWhole ? path : "/api/v1" + (path.hasPrefix("/") ? path : "/" + path)
        try await connection.withClient { client in
            let answer = try await client.send(
                RequestMethod(text: method.uppercased()), APIPath(raw: target), body: body, timeout: .seconds(600))
            if answer.contentType.contains("json") || answer.contentType.hasPrefix("text/") {
                if !answer.body.isEmpty { Console.print(json: answer.body) }
            } else {
                Console.write(answer.body, to: STDOUT_FILENO)
            }
        }
    }

    private static func contents(of path: String) throws -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CLIError(.usage, "cannot read \(path)")
        }
        return data
    }
}
