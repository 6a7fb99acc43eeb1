import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore

struct ChecksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checks", abstract: "Show what a browser saw of a version: checks, findings, screenshots.",
        discussion: """
            A worker with Chromium looks at the pages that an edit changed, after the edit is done; at a version that was
            uploaded or made of a template when it is asked to with --take. Exits with 1 while it still looks, unless --wait
            is given.

            Example: pagewright checks bakery 4
            Example: pagewright checks bakery 1 --take --page index.html --wait
            Example: pagewright checks bakery 4 --wait --save pictures
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The version's number.") var version: Int
    @Flag(help: "Have a worker's browser look at the version now.") var take = false
    @Option(
        name: .customLong("page"),
        help: ArgumentHelp(
            "With --take: a page to look at; up to 12. Those without a picture when none is named.", valueName: "path"))
    var pages: [String] = []
    @Flag(help: "Wait until the browser is done.") var wait = false
    @Option(help: "Give up waiting after so many seconds.") var timeout = 900
    @Option(help: ArgumentHelp("Save the screenshots into this folder.", valueName: "folder")) var save: String?

    func validate() throws {
        guard take || pages.isEmpty else { throw ValidationError("--page is for --take.") }
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout is 1 to 86400") }
    }

    func run() async throws {
        try await connection.withClient { client in
            let deadline = ContinuousClock.now + .seconds(timeout)
            let looking = LookFollower(
                client: client, site: site, timeout: .seconds(timeout), asJSON: connection.json)
            if take { try await looking.take(pages, of: version, waiting: false) }
            let answer =
                if wait {
                    try await looking.end(of: version, before: deadline)
                } else {
                    try await client.send(.get, "/sites/\(site)/versions/\(version)/checks")
                }
            let checks = try answer.decode(PageChecksBody.self)
            let saved = try await download(checks, by: client)
            if connection.json {
                Console.print(json: answer.body)
            } else {
                for line in checks.lines { Console.print(line) }
                if let save { Console.print("Saved \(Wording.count(saved, "screenshot")) in \(save).") }
            }
            if checks.state == "waiting" { throw ExitStatus.failed.exitCode }
        }
    }

    /// Returns how many.
    private func download(_ checks: PageChecksBody, by client: APIClient) async throws -> Int {
        guard let save else { return 0 }
        do {
            try FileManager.default.createDirectory(atPath: save, withIntermediateDirectories: true)
        } catch {
            throw CLIError(.failed, "cannot make the folder \(save)", nextStep: "Check that its parent is yours.")
        }
        for (picture, name) in zip(checks.screenshots, checks.fileNames) {
            let response = try await client.open(
                .get, "/sites/\(site)/versions/\(version)/screenshots/\(picture.sha256)", timeout: .seconds(300))
            let target = try ExportTarget(path: "\(save)/\(name)")
            do {
                for try await piece in response.body { try target.write(Data(piece.readableBytesView)) }
            } catch {
                target.discard()
                throw APIClient.translate(error, server: client.server)
            }
            _ = try target.finish()
        }
        return checks.screenshots.count
    }
}

struct PageChecksBody: Decodable {
    struct Check: Decodable {
        let name: String
        let ran: Bool
        let obstacle: String
    }

    struct Screenshot: Decodable {
        struct Box: Decodable {
            let x: Int
            let y: Int
            let width: Int
            let height: Int
        }

        let page: String
        let kind: String
        let width: Int
        let height: Int
        let mediaType: String
        let sha256: String
        let sizeBytes: Int64
        let takenOf: Int
        let changes: [Box]?

        /// Such as `menu-index.html-375.png`; with `mark`, `menu-index.html-375-0123456789ab.png`.
        fileprivate func fileName(mark: String = "") -> String {
            let name = page.map { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" ? $0 : "-" }
            let end = mediaType == "image/png" ? "png" : "jpg"
            return "\(String(name))-\(kind == "page" ? "\(width)" : kind)\(mark).\(end)"
        }

        fileprivate var line: String {
            let compared = changes.map { $0.isEmpty ? "looks the same" : Wording.count($0.count, "changed place") }
            return "\(page)  \(width) x \(height)  \(Wording.size(sizeBytes))  \(compared ?? "new")"
        }
    }

    let state: String
    let checks: [Check]
    let findings: [FindingBody]
    let screenshots: [Screenshot]

    /// Names to save the screenshots under. Pages such as `a/b.html` and `a-b.html` would share one: whoever comes later
    /// has the first 12 digits of the picture's SHA-256 in it.
    var fileNames: [String] {
        var taken: Set<String> = []
        return screenshots.map { picture in
            let plain = picture.fileName()
            // A file system may take capitals and small letters for the same.
            let isFree = taken.insert(plain.lowercased()).inserted
            return isFree ? plain : picture.fileName(mark: "-\(picture.sha256.prefix(12))")
        }
    }

    /// For a terminal.
    var lines: [String] {
        switch state {
        case "none" where screenshots.isEmpty:
            return ["No browser looked at this version. Have one look with --take."]
        case "none":
            return [
                "No browser looked at this version for itself; these pictures were taken to compare another with it."
            ]
                + screenshots.filter { $0.kind == "page" }.map { "  \($0.line)" }
        case "waiting": return ["A browser still looks at this version. Wait for it with --wait."]
        default: break
        }
        var lines: [String] = []
        let ran = checks.filter(\.ran).map(\.name)
        if !ran.isEmpty { lines.append("Checked: " + ran.joined(separator: ", ")) }
        // What kept one check mostly kept the others, too.
        for reason in Set(checks.map(\.obstacle)).subtracting([""]).sorted() {
            let names = checks.filter { $0.obstacle == reason }.map(\.name).joined(separator: ", ")
            lines.append("Not fully checked: \(names), because \(reason)")
        }
        lines.append(Wording.count(findings.count, "finding"))
        lines += findings.map { "  \($0.line)" }
        let pages = screenshots.filter { $0.kind == "page" }
        lines.append(Wording.count(pages.count, "screenshot"))
        return lines + pages.map { "  \($0.line)" }
    }
}
