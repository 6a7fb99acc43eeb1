import ArgumentParser
import Database
import Domain
import Logging
import Persistence

struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copies a whole database into an empty one, and compares them row by row.",
        discussion: """
            Stop every coordinator of the source first: what it writes meanwhile is not copied. The target gets all of \
            it in one transaction, or nothing. Blobs and keys are not in the database; they stay where they are.

            Example: pagewright-coordinator copy --from sqlite:/var/lib/pagewright/pagewright.sqlite \
            --to postgres://pagewright@db.example.org/pagewright
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "sqlite:PATH or postgres://USER@HOST/NAME.")
    var from: String
    @Option(help: "sqlite:PATH or postgres://USER@HOST/NAME; empty, or not migrated yet.")
    var to: String
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        struct Table: Encodable {
            let name: String
            let rows: Int
            let digest: String
        }

        let from: String
        let to: String
        let tables: [Table]
    }

    func run() async throws {
        try await reporting {
            let password = try options.source().secret(.databasePassword)
            let source = try DatabaseSource(from, origin: "--from", isPublic: true).with(password: password)
            let target = try DatabaseSource(to, origin: "--to", isPublic: true).with(password: password)
            let logger = Logger(label: "copy") { _ in SwiftLogNoOpLogHandler() }
            if case .sqlite(let path) = source { try SQLiteFile(path: path).requireExisting() }
            let reader = try await CoordinatorCore.openDatabase(source, logger: logger)
            guard try await pending(in: reader, at: source).isEmpty else {
                throw ServiceError(
                    .failedPrecondition, "the source \(source) has an older schema", field: "from",
                    nextStep: "Bring it to the newest first: pagewright-coordinator migrate.")
            }
            let writer = try await CoordinatorCore.openDatabase(target, logger: logger)
            _ = try await CoordinatorCore.migrate(writer, at: target)
            let tables: [DatabaseCopy.Table]
            do {
                tables = try await DatabaseCopy(from: reader, to: writer).run()
            } catch let error as SQLError {
                throw ServiceError(
                    .failedPrecondition, "could not copy \(source) to \(target)",
                    nextStep: error.kind == .outcomeUnknown
                        ? "Run it again: a target that has everything is refused as not empty."
                        : "Nothing was kept in the target.", cause: error)
            }
            try say(tables, source, target)
        }
    }

    private func pending(in database: any SQLDatabase, at source: DatabaseSource) async throws -> [Migration] {
        do {
            return try await Migrator(Schema.migrations).pending(in: database)
        } catch let error as SQLError {
            throw ServiceError(error, at: source)
        }
    }

    private func say(_ tables: [DatabaseCopy.Table], _ source: DatabaseSource, _ target: DatabaseSource) throws {
        if json {
            try printJSON(
                Output(
                    from: "\(source)", to: "\(target)",
                    tables: tables.map { Output.Table(name: $0.name, rows: $0.rows, digest: $0.digest) }))
            return
        }
        let width = tables.map(\.name.count).max() ?? 0
        print("\("table".padded(to: width))  \("rows".padded(to: 9))  digest, the same on both sides")
        for table in tables {
            print("\(table.name.padded(to: width))  \("\(table.rows)".padded(to: 9))  \(table.digest.prefix(16))")
        }
        print("Copied \(tables.reduce(0) { $0 + $1.rows }) rows from \(source) to \(target); every row was compared.")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
