import ArgumentParser
import Foundation

struct PlacementBody: Decodable {
    let own: Bool
    let copies: Int?
    let labels: String
    let spread: String?
    let leavesDraining: Bool
    let lostAfterSeconds: Int?
    let hosts: [String]
}

struct PlacementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "placement", abstract: "See and say on which machines a site is (administrators).",
        discussion: """
            Without options it only shows. A site moves by one copy more first, and one less when that one serves.

            Example: pagewright placement bakery
            Example: pagewright placement bakery --copies 2 --spread zone --labels disk=fast
            """)

    private struct Policy: Encodable {
        let copies: Int?
        let labels: String?
        let spread: String?
        let leavesDraining: Bool
        let lostAfterSeconds: Int?
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Option(help: "On how many machines; default: all that fit.") var copies: Int?
    @Option(help: "Labels that a machine must have: key=value,key=value.") var labels: String?
    @Option(help: "The label whose values the copies shall differ in.") var spread: String?
    @Flag(help: "Leave a machine that is drained.") var leaveDraining = false
    @Option(help: "After so many seconds without a word a machine counts as lost.") var lostAfter: Int?
    @Flag(help: "Place it as the installation says.") var standard = false

    func run() async throws {
        try await connection.withClient { client in
            let answer: APIResponse
            if standard {
                answer = try await client.send(.delete, "/sites/\(site)/placement")
            } else if copies != nil || labels != nil || spread != nil || leaveDraining || lostAfter != nil {
                let policy = Policy(
                    copies: copies, labels: labels, spread: spread, leavesDraining: leaveDraining,
                    lostAfterSeconds: lostAfter)
                answer = try await client.send(.put, "/sites/\(site)/placement", body: .json(policy))
            } else {
                answer = try await client.send(.get, "/sites/\(site)/placement")
            }
            guard !connection.json else { return Console.print(json: answer.body) }
            let body: PlacementBody = try answer.decode()
            Console.print("policy  \(body.own ? "its own" : "the installation's")")
            Console.print("copies  \(body.copies.map(String.init) ?? "all")")
            if !body.labels.isEmpty { Console.print("labels  \(body.labels)") }
            if let spread = body.spread { Console.print("spread  over \(spread)") }
            Console.print("hosts   \(body.hosts.isEmpty ? "none" : body.hosts.joined(separator: ", "))")
        }
    }
}
