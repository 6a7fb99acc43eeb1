import AsyncHTTPClient
import Foundation
import NIOCore

/// A folder with the pictures of two versions, and a page that shows them side by side.
struct ScreenAlbum {
    let folder: String
    let site: String
    let from: Int
    let to: Int

    func save(_ screens: DiffBody.Screens, by client: APIClient) async throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CLIError(.failed, "cannot make the folder \(folder)", nextStep: "Check that its parent is yours.")
        }
        var rows = ""
        for (number, pair) in screens.pairs.enumerated() {
            var sides = ""
            for (side, version, screen, isThere) in [
                ("before", from, pair.before, pair.inBefore), ("after", to, pair.after, pair.inAfter),
            ] {
                guard let screen else {
                    let page = Self.escaped(pair.page)
                    sides +=
                        isThere
                        ? "<p>No picture of \(page) in version \(version).</p>"
                        : "<p>Version \(version) has no page \(page).</p>"
                    continue
                }
                let name = "\(number + 1)-\(pair.width)-\(side).\(screen.mediaType == "image/png" ? "png" : "jpg")"
                try await download(screen, to: "\(folder)/\(name)", by: client)
                let label = Self.escaped("\(pair.page) at \(pair.width) pixels, version \(version)")
                sides += "<figure><img src=\"\(name)\" alt=\"\(label)\"><figcaption>\(label)</figcaption></figure>"
            }
            rows += "<section>\(sides)</section>\n"
        }
        let title = Self.escaped("\(site): version \(from) and version \(to)")
        let page = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title)</title><style>
            body { font: 16px/1.5 sans-serif; margin: 2rem } section { display: flex; gap: 1rem; margin-bottom: 2rem }
            section > * { flex: 1; margin: 0 } img { max-width: 100%; border: 1px solid #999 }
            </style></head><body><h1>\(title)</h1>
            \(rows)</body></html>

            """
        let target = try ExportTarget(path: folder + "/index.html")
        do {
            try target.write(Data(page.utf8))
        } catch {
            target.discard()
            throw error
        }
        _ = try target.finish()
    }

    private func download(_ screen: DiffBody.Screens.Screen, to path: String, by client: APIClient) async throws {
        let response = try await client.open(
            .get, "/sites/\(site)/versions/\(screen.version)/screenshots/\(screen.sha256)", timeout: .seconds(300))
        let target = try ExportTarget(path: path)
        do {
            for try await piece in response.body { try target.write(Data(piece.readableBytesView)) }
        } catch {
            target.discard()
            throw APIClient.translate(error, server: client.server)
        }
        _ = try target.finish()
    }

    /// As text of a page and as the value of an attribute.
    static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }
}
