import ArgumentParser
import Foundation

struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Upload a folder or an archive as a new version; it goes to the preview.",
        discussion: """
            A folder is packed without its dotfiles (.well-known stays). Symbolic links are refused; --follow-links packs
            what they lead to. Archives are .tar.gz, .tar or .zip.

            Example: pagewright deploy bakery ./public
            Example: pagewright deploy bakery site.zip --prod
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var wait: ServingWait
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "A folder, or a .tar.gz, .tar or .zip.") var source: String
    @Flag(help: "Show it to visitors at once.") var prod = false
    @Flag(help: "Pack what symbolic links lead to.") var followLinks = false

    func run() async throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: source, isDirectory: &isFolder) else {
            throw CLIError(.usage, "there is no \(source)")
        }
        guard isFolder.boolValue else { return try await upload(source, isTemporary: false) }
        let archive = FileManager.default.temporaryDirectory.path + "/pagewright-\(UUID().uuidString).tar.gz"
        defer { unlink(archive) }
        let packed = try FolderArchive(folder: source, followsLinks: followLinks).write(to: archive)
        if !connection.json {
            Console.printError(
                "packed \(Wording.count(packed.files, "file")), \(Wording.size(packed.sizeInBytes))"
                    + (packed.leftOut.isEmpty
                        ? ""
                        : "; left out \(packed.leftOut.prefix(5).joined(separator: ", "))"
                            + (packed.leftOut.count > 5 ? " and \(packed.leftOut.count - 5) more" : "")))
        }
        try await upload(archive, isTemporary: true)
    }

    private func upload(_ archive: String, isTemporary: Bool) async throws {
        let attributes = try? FileManager.default.attributesOfItem(atPath: archive)
        guard let size = (attributes?[.size] as? NSNumber)?.int64Value else {
            throw CLIError(.failed, "cannot read \(archive)")
        }
        try await connection.withClient { client in
            let before: SiteBody = try await client.send(.get, "/sites/\(site)").decode()
            let path: APIPath = "/sites/\(site)/versions"
            let answer = try await client.send(
                .post, path.with([("promote", prod ? "true" : "false")]),
                body: .file(
                    path: archive, sizeInBytes: size,
                    contentType: archive.hasSuffix(".zip") ? "application/zip" : "application/gzip"),
                timeout: .seconds(1800))
            let version = try answer.decode(VersionBody.self)
            var served: SiteBody?
            if !wait.noWait {
                var progress = ProgressReporter(asJSON: connection.json)
                let changes = before.previewVersion != version.number || prod
                served = try await wait.untilServed(
                    site, by: client, changedAt: changes ? version.createdAt : nil, progress: &progress)
            }
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print(
                "Version \(version.number): \(Wording.count(version.files, "file")), \(Wording.size(version.sizeBytes)), "
                    + "digest \(version.digest.prefix(12))")
            for finding in version.findings.prefix(10) { Console.print("  \(finding.line)") }
            if version.findings.count > 10 { Console.print("  … and \(version.findings.count - 10) more") }
            guard let served else {
                return Console.print("It is on its way to the hosts.")
            }
            if prod {
                Console.print("Live on \(served.confirmations): \(served.url)")
            } else {
                Console.print("Preview on \(served.confirmations): \(served.previewUrl)")
                Console.print("Show it to visitors: pagewright promote \(served.slug)")
            }
        }
    }
}
