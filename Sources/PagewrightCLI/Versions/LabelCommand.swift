import ArgumentParser
import Foundation

struct LabelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Name or pin a version, so that it is found again.",
        discussion: "Example: pagewright label bakery 4 --name \"Before the summer\" --pin")

    private struct Change: Encodable {
        let name: String?
        let pinned: Bool?
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The version's number.") var version: Int
    @Option(help: "What to call it; empty takes the name off.") var name: String?
    @Flag(help: "Show it before all others.") var pin = false
    @Flag(help: "Take the pin off.") var unpin = false

    func validate() throws {
        guard name != nil || pin || unpin, !(pin && unpin) else {
            throw ValidationError("Give --name, --pin or --unpin.")
        }
    }

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(
                .put, "/sites/\(site)/versions/\(version)/label",
                body: .json(Change(name: name, pinned: pin ? true : unpin ? false : nil)))
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("Version \(version) of \(site) is labelled.")
        }
    }
}
