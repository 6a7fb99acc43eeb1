import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore

struct VersionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions", abstract: "List a site's versions, newest first.",
        discussion: "Example: pagewright versions bakery")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Option(help: "At most so many.") var limit = 50

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.list("/sites/\(site)/versions", limit: limit)
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("VERSION", "", "WHEN", "FROM", "FILES", "SIZE", "DIGEST", "SUMMARY")
            for version in try answer.decode(ListBody<VersionBody>.self).items {
                table.add(
                    "v\(version.number)", version.marks, Wording.age(version.createdAt), version.origin.line,
                    "\(version.files)", Wording.size(version.sizeBytes), String(version.digest.prefix(12)),
                    String(version.summary.prefix(60)))
            }
            table.print(empty: "The site has no version yet. Upload one: pagewright deploy \(site) FOLDER")
        }
    }
}

struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what differs between two versions, or what a job changed.",
        discussion: """
            The views: files (names and sizes), text (lines), outline (what a reader of the pages sees), findings (what the
            checks say, and the weight) and screens (pictures of the pages that differ, on a phone and on a desktop).

            Example: pagewright diff bakery 1 2
            Example: pagewright diff bakery 1 2 --view outline
            Example: pagewright diff bakery 1 4 --view screens --take --save looks
            Example: pagewright diff bakery --job job_01jx… --view text
            """)

    enum View: String, ExpressibleByArgument, CaseIterable { case files, text, outline, findings, screens }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The older version's number.") var from: Int?
    @Argument(help: "The newer version's number.") var to: Int?
    @Option(help: "What to show: files, text, outline, findings or screens.") var view = View.files
    @Option(help: "What this job changed, also when it was refused.") var job: String?
    @Flag(help: "With screens: have a worker's browser take the pictures that are missing, and wait for them.")
    var take = false
    @Option(
        help: ArgumentHelp(
            "With screens: save the pictures into this folder, with a page that shows them side by side.",
            valueName: "folder")) var save: String?
    @Option(help: ArgumentHelp("How long to wait for pictures.", valueName: "seconds")) var timeout = 900

    func validate() throws {
        guard view == .screens || !take && save == nil else {
            throw ValidationError("--take and --save are for --view screens.")
        }
        guard view != .screens || job == nil else {
            throw ValidationError("Pictures are of versions: name two of them.")
        }
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout is 1 to 86400") }
        guard (from != nil && to != nil) != (job != nil) else {
            throw ValidationError("Name two versions, or a job with --job.")
        }
    }

    func run() async throws {
        try await connection.withClient { client in
            let path: APIPath
            if let job {
                path = "/jobs/\(job)/diff"
            } else {
                path = "/sites/\(site)/versions/\(from ?? 0)/diff/\(to ?? 0)"
            }
            var answer = try await client.send(.get, path.with([("view", view.rawValue)]))
            if let from, let to, let screens = try answer.decode(DiffBody.self).screens {
                let looking = LookFollower(
                    client: client, site: site, timeout: .seconds(timeout), asJSON: connection.json)
                if take, !screens.absentBefore.isEmpty || !screens.absentAfter.isEmpty {
                    if !screens.absentBefore.isEmpty {
                        try await looking.take(screens.absentBefore, of: from)
                    }
                    if !screens.absentAfter.isEmpty {
                        try await looking.take(screens.absentAfter, of: to)
                    }
                    answer = try await client.send(.get, path.with([("view", view.rawValue)]))
                }
                if let save, let screens = try answer.decode(DiffBody.self).screens {
                    try await ScreenAlbum(folder: save, site: site, from: from, to: to).save(screens, by: client)
                }
            }
            guard !connection.json else { return Console.print(json: answer.body) }
            let text = DiffText(diff: try answer.decode(), view: view, usesColour: Console.usesColour)
            for line in text.lines { Console.print(line) }
            if let save { Console.print("Saved in \(save); open \(save)/index.html to see them side by side.") }
        }
    }
}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Save a version as a tar.gz; the same version is the same bytes each time.",
        discussion: "Example: pagewright export bakery 3 -o bakery.tar.gz")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The version's number; default: what is live.") var version: Int?
    @Option(name: .shortAndLong, help: "The file to write; - is standard output.") var output: String

    func run() async throws {
        try await connection.withClient { client in
            let number = try await wanted(client)
            let response = try await client.open(
                .get, "/sites/\(site)/versions/\(number)/archive", timeout: .seconds(3600))
            let target = try ExportTarget(path: output)
            do {
                for try await piece in response.body { try target.write(Data(piece.readableBytesView)) }
            } catch {
                target.discard()
                throw APIClient.translate(error, server: client.server)
            }
            let size = try target.finish()
            guard output != "-" else { return }
            guard !connection.json else {
                return Console.print(object: ["site": site, "version": number, "file": output, "size_bytes": size])
            }
            Console.print("Saved version \(number) of \(site) in \(output) (\(Wording.size(size))).")
        }
    }

    private func wanted(_ client: APIClient) async throws -> Int {
        if let version { return version }
        let found: SiteBody = try await client.send(.get, "/sites/\(site)").decode()
        guard let live = found.liveVersion else {
            throw CLIError(
                .failed, "\(site) has no live version", nextStep: "Name a version: pagewright versions \(site).")
        }
        return live
    }
}

/// A file that is whole or not there.
struct ExportTarget {
    private let path: String
    private let temporary: String
    private let handle: FileHandle
    private var isStandardOutput: Bool { path == "-" }

    init(path: String) throws {
        self.path = path
        temporary = "\(path).part\(getpid())"
        guard path != "-" else {
            handle = .standardOutput
            return
        }
        guard FileManager.default.createFile(atPath: temporary, contents: nil),
            let handle = FileHandle(forWritingAtPath: temporary)
        else { throw CLIError(.failed, "cannot write \(path)", nextStep: "Check that the folder exists and is yours.") }
        self.handle = handle
    }

    func write(_ data: Data) throws {
        do {
            try handle.write(contentsOf: data)
        } catch {
            throw CLIError(.failed, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Returns the size.
    func finish() throws -> Int64 {
        guard !isStandardOutput else { return 0 }
        let size = Int64(try handle.offset())
        try handle.close()
        guard rename(temporary, path) == 0 else {
            throw CLIError(.failed, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        return size
    }

    func discard() {
        guard !isStandardOutput else { return }
        try? handle.close()
        unlink(temporary)
    }
}
