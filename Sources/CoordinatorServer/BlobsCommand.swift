import ArgumentParser
import Artifacts
import BlockingIO
import Coordinator
import Domain
import Foundation
import Logging

struct BlobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blobs", abstract: "Examines, cleans and moves the content of all versions.",
        subcommands: [Verify.self, Collect.self, Migrate.self])

    fileprivate static let silent = Logger(label: "blobs") { _ in SwiftLogNoOpLogHandler() }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Reads every blob and compares it with its name; names what is damaged or missing.",
            discussion: """
                Ends with 1 when a blob is damaged, or when a version needs one that is not there. Works while the \
                coordinator runs.

                Example: pagewright-coordinator blobs verify --state /var/lib/pagewright --rate 50
                """)

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var blobs: BlobOptions
        @Option(
            help: ArgumentHelp(
                "At most so many MiB a second; all that the store gives when not said.", valueName: "MiB"))
        var rate: Int?
        @Flag(help: "Print JSON.")
        var json = false

        private struct Output: Encodable {
            struct Problem: Encodable {
                struct Need: Encodable {
                    let site: String
                    let slug: String
                    let version: Int
                    let path: String?
                }
                let digest: String
                let kind: String
                let needs: [Need]
            }
            let blobs: Int
            let bytes: Int64
            let versions: Int
            let problems: [Problem]
        }

        func run() async throws {
            try await reporting {
                let source = try options.source(blobs.flags)
                let folder = try source.stateFolder()
                try folder.requireExisting()
                let core = try await CoordinatorCore.open(
                    folder, database: try source.database(), settings: CoordinatorSettings(),
                    blobs: BlobSettings(source),
                    logger: BlobsCommand.silent)
                let report = try await core.verifier.verify(bytesPerSecond: rate.map { max(1, $0) << 20 })
                if json {
                    try printJSON(
                        Output(
                            blobs: report.read.blobs, bytes: report.read.bytes, versions: report.versions,
                            problems: report.problems.map { problem in
                                Output.Problem(
                                    digest: problem.digest.text, kind: problem.kind.rawValue,
                                    needs: problem.needs.map {
                                        Output.Problem.Need(
                                            site: $0.site.text, slug: $0.slug, version: $0.version.rawValue,
                                            path: $0.path)
                                    })
                            }))
                } else {
                    for problem in report.problems {
                        print("\(problem.kind.rawValue) \(problem.digest)")
                        for need in problem.needs {
                            print("    \(need.slug) version \(need.version): \(need.path ?? "its list of files")")
                        }
                        if problem.needs.isEmpty { print("    no version needs it") }
                    }
                    print(
                        "read \(report.read.blobs) blobs, \(report.read.bytes) bytes, for \(report.versions) versions: "
                            + (report.problems.isEmpty ? "all whole" : "\(report.problems.count) bad"))
                }
                guard report.problems.isEmpty else { throw ExitCode.failure }
            }
        }
    }

    struct Collect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc", abstract: "Deletes blobs that no version refers to.",
            discussion: """
                Everything of all versions of all sites stays. What goes is of sites deleted longer ago than the grace \
                period, of imports that failed, and of uploads that never ended. Works while coordinators run, and \
                while another gc does.

                Example: pagewright-coordinator blobs gc --state /var/lib/pagewright --dry-run
                """)

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var blobs: BlobOptions
        @Option(help: "How old an unused blob must be before it is deleted, such as 24h or 30m.")
        var grace = "24h"
        @Flag(help: "Only say what would be deleted.")
        var dryRun = false
        @Flag(help: "Print JSON.")
        var json = false

        private struct Output: Encodable {
            struct Count: Encodable {
                let blobs: Int
                let bytes: Int64

                init(_ count: BlobCount) { (blobs, bytes) = (count.blobs, count.bytes) }
            }
            let before, unused, tooYoung, removed, unfinishedUploads, after: Count
            let versions: Int
            let isDryRun: Bool
        }

        func run() async throws {
            try await reporting {
                let source = try options.source(blobs.flags)
                let folder = try source.stateFolder()
                try folder.requireExisting()
                guard let age = TimeSpan.parsed(grace) else {
                    throw ServiceError(
                        .invalidArgument, "--grace \"\(grace.prefix(20))\" is no time", field: "grace",
                        nextStep: "Write it like 30s, 15m, 24h or 7d.")
                }
                let core = try await CoordinatorCore.open(
                    folder, database: try source.database(), settings: CoordinatorSettings(),
                    blobs: BlobSettings(source),
                    logger: BlobsCommand.silent)
                let report = try await core.collector(logger: BlobsCommand.silent).collect(
                    grace: age, isDryRun: dryRun)
                if json {
                    try printJSON(
                        Output(
                            before: .init(report.before), unused: .init(report.garbage), tooYoung: .init(report.young),
                            removed: .init(report.removed), unfinishedUploads: .init(report.unfinished),
                            after: .init(report.after), versions: report.versions, isDryRun: dryRun))
                } else {
                    func line(_ name: String, _ count: BlobCount) {
                        print(
                            name.padding(toLength: 20, withPad: " ", startingAt: 0)
                                + "\(count.blobs) blobs, \(count.bytes) bytes")
                    }
                    line("before", report.before)
                    line("unused", report.garbage)
                    line("unused, but young", report.young)
                    line("unfinished uploads", report.unfinished)
                    line(dryRun ? "would be deleted" : "deleted", dryRun ? report.garbage : report.removed)
                    line("after", report.after)
                }
            }
        }
    }

    struct Migrate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "migrate", abstract: "Copies all blobs to another store.",
            discussion: """
                What is there already is not copied again, so it can be ended and begun anew. Copy once while the \
                coordinator runs, stop it, copy once more, and start it with the new --blobs.

                Example: pagewright-coordinator blobs migrate --state /var/lib/pagewright --from directory --to \
                's3://pagewright/blobs?endpoint=https://s3.example.org'
                """)

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "The store to copy from, as --blobs takes it.")
        var from: String
        @Option(help: "The store to copy to.")
        var to: String
        @Option(help: "A file with the keys for S3; otherwise they come from the environment.")
        var fromCredentials: String?
        @Option(help: "The same for the store to copy to.")
        var toCredentials: String?
        @Flag(help: "Print JSON.")
        var json = false

        private struct Output: Encodable {
            let blobs: Int
            let bytes: Int64
            let copiedBlobs: Int
            let copiedBytes: Int64
            let damaged: [String]
            let absent: [String]
        }

        func run() async throws {
            try await reporting {
                let settings = try options.source()
                let folder = try settings.stateFolder()
                let keys = try BlobSettings(settings)
                let pool = BlockingPool(label: "pagewright.files", width: 8)
                let clock = SystemClock()
                let source = try await keys.moved(to: from, credentialsFile: fromCredentials)
                    .open(in: folder, pool: pool, clock: clock, logger: BlobsCommand.silent)
                let target = try await keys.moved(to: to, credentialsFile: toCredentials)
                    .open(in: folder, pool: pool, clock: clock, logger: BlobsCommand.silent)
                guard source.address != target.address else {
                    throw ServiceError(.invalidArgument, "--from and --to are the same store")
                }
                try await source.probe()
                try await target.probe()
                let report = try await BlobMigration(from: source, to: target).run()
                if json {
                    try printJSON(
                        Output(
                            blobs: report.source.blobs, bytes: report.source.bytes, copiedBlobs: report.copied.blobs,
                            copiedBytes: report.copied.bytes, damaged: report.damaged.map(\.text),
                            absent: report.absent.map(\.text)))
                } else {
                    print("from        \(source.address): \(report.source.blobs) blobs, \(report.source.bytes) bytes")
                    print("to          \(target.address)")
                    print("copied      \(report.copied.blobs) blobs, \(report.copied.bytes) bytes")
                    for digest in report.damaged { print("damaged     \(digest): not copied") }
                    for digest in report.absent { print("not there   \(digest)") }
                    print(
                        report.isComplete
                            ? "complete    every blob is in the new store" : "incomplete  see above, and run it again")
                }
                guard report.isComplete else { throw ExitCode.failure }
            }
        }
    }
}
