import AsyncHTTPClient
import Foundation
import NIOCore

/// The coordinator's events, as long as the connection holds.
struct EventFeed: Sendable {
    let client: APIClient

    /// Hands every event after `after` to `body`; without `after` only new ones. Returns when the server closes the
    /// stream or `body` returns `false`. Calls `opened` once the server has begun to answer.
    func forEach(
        after: String? = nil, opened: () -> Void = {}, _ body: (ServerSentEvent) async throws -> Bool
    ) async throws {
        var headers = [(name: "accept", value: "text/event-stream")]
        if let after, after != "0" { headers.append(("last-event-id", after)) }
        let path: APIPath = "/events"
        let response = try await client.open(
            .get, path.with([("after", after == "0" ? "0" : nil)]), headers: headers, timeout: nil)
        opened()
        var parser = ServerSentEventParser()
        var rest = ByteBuffer()
        do {
            for try await var piece in response.body {
                rest.writeBuffer(&piece)
                guard rest.readableBytes < 1 << 20 else { throw CLIError(.failed, "an event has no end") }
                while let newline = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                    var line = rest.readString(length: newline - rest.readerIndex) ?? ""
                    rest.moveReaderIndex(forwardBy: 1)
                    if line.last == "\r" { line.removeLast() }
                    if let event = parser.consume(line: line[...]), try await !body(event) { return }
                }
                rest.discardReadBytes()
            }
        } catch {
            throw APIClient.translate(error, server: client.server)
        }
    }
}
