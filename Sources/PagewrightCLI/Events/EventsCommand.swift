import ArgumentParser
import Foundation

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Print what happened; -f goes on with what happens.",
        discussion: """
            One line per event: number, kind, data. A connection that breaks is taken up again where it broke.

            Example: pagewright events -f
            Example: pagewright events --after 120 --json
            """)

    @OptionGroup var connection: ConnectionOptions
    @Flag(name: .shortAndLong, help: "Go on until Ctrl-C.") var follow = false
    @Option(help: "Begin behind this event; default: the first, or with -f the next one.") var after: String?

    func run() async throws {
        try await connection.withClient { client in
            if follow {
                try await followForever(client)
            } else {
                try await printBacklog(client)
            }
        }
    }

    private func followForever(_ client: APIClient) async throws {
        var last = after
        while true {
            do {
                try await EventFeed(client: client).forEach(after: last) { event in
                    last = event.id ?? last
                    Console.print(line(of: event))
                    return true
                }
            } catch let error as CLIError where error.status == .unreachable && last != nil {
                Console.printError("connection lost; trying again")
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Prints what is there: the stream never ends by itself, so half a second of silence is its end.
    private func printBacklog(_ client: APIClient) async throws {
        let (seen, beat) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await EventFeed(client: client).forEach(after: after ?? "0", opened: { beat.yield() }) { event in
                    Console.print(line(of: event))
                    beat.yield()
                    return true
                }
            }
            group.addTask {
                var iterator = seen.makeAsyncIterator()
                await iterator.next()
                while try await Self.nextBeat(of: seen) {}
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Whether another beat came within half a second.
    private static func nextBeat(of seen: AsyncStream<Void>) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                var iterator = seen.makeAsyncIterator()
                return await iterator.next() != nil
            }
            group.addTask {
                try await Task.sleep(for: .milliseconds(500))
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    private func line(of event: ServerSentEvent) -> String {
        guard connection.json else { return "\(event.id ?? "-")  \(event.kind)  \(event.data)" }
        let id = event.id.flatMap(Int.init).map(String.init) ?? "null"
        return #"{"id":\#(id),"kind":"\#(event.kind)","data":\#(event.data.isEmpty ? "null" : event.data)}"#
    }
}
