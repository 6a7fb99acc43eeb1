import ArgumentParser
import Foundation

struct BackupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backups", abstract: "See backups, and when a restore was last proven (administrators).",
        discussion: "Example: pagewright backups")

    private struct Body: Decodable {
        struct Run: Decodable {
            let kind: String
            let good: Bool
            let finishedAt: String
            let name: String
            let place: String
            let rows: Int
            let blobs: Int
            let detail: String
        }

        let lastBackupAt: String?
        let lastProvenRestoreAt: String?
        let items: [Run]
    }

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/admin/backups")
            guard !connection.json else { return Console.print(json: answer.body) }
            let body: Body = try answer.decode()
            Console.print("last backup          \(body.lastBackupAt.map { Wording.age($0) } ?? "never")")
            Console.print("last proven restore  \(body.lastProvenRestoreAt.map { Wording.age($0) } ?? "never")")
            var table = TextTable("KIND", "GOOD", "ENDED", "NAME", "PLACE", "ROWS", "BLOBS", "DETAIL")
            for run in body.items {
                table.add(
                    run.kind, run.good ? "yes" : "NO", Wording.age(run.finishedAt), run.name, run.place, "\(run.rows)",
                    "\(run.blobs)", run.detail)
            }
            table.print(empty: "There was no backup yet: pagewright-coordinator backup --to …")
        }
    }
}
