import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Telemetry

/// Events as they happen, for one caller. A wake-up is only a hint: what is sent is what the database says comes after
/// the last event that was sent, so nothing is missed and nothing comes twice.
struct EventStream: Sendable {
    static let heartbeatInterval = Duration.seconds(15)
    private static let pageSize = 200

    private enum Signal: Sendable { case wakeUp, time, end }

    let events: EventService
    let streams: EventStreamLimit
    let metrics: PrometheusRegistry
    let clock: any WallClock
    let heartbeatInterval: Duration

    /// Begins behind event `after`. Ends when the client goes, when its access token ends, and when the server stops;
    /// a client that comes back with the last id misses nothing.
    func response(to request: Request, for caller: AuthenticatedCaller, after: Int64, logger: Logger) throws -> Response
    {
        let place = try streams.enter(caller.principal.user)
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .connection: "close"],
            body: ResponseBody { writer in
                defer { withExtendedLifetime(place) {} }
                metrics.adjust(.eventStreams, by: 1)
                defer { metrics.adjust(.eventStreams, by: -1) }
                let (signals, continuation) = AsyncStream.makeStream(
                    of: Signal.self, bufferingPolicy: .bufferingOldest(8))
                try await withGracefulShutdownHandler {
                    try await request.body.consumeWithInboundCloseHandler { _ in
                        try await send(after: after, for: caller, signals, continuation, to: &writer)
                    } onInboundClosed: {
                        continuation.finish()
                    }
                } onGracefulShutdown: {
                    continuation.finish()
                }
                try await writer.finish(nil)
            })
    }

    @concurrent private func send(
        after start: Int64, for caller: AuthenticatedCaller, _ signals: AsyncStream<Signal>,
        _ continuation: AsyncStream<Signal>.Continuation, to writer: inout any ResponseBodyWriter
    ) async throws {
        var last = start
        // Subscribed before the first read, so that nothing falls between the two.
        let changes = events.changes()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in changes { continuation.yield(.wakeUp) }
            }
            group.addTask { [clock, heartbeatInterval] in
                while clock.now() < caller.expiresAt {
                    let rest = caller.expiresAt - clock.now()
                    try await Task.sleep(for: min(heartbeatInterval, max(rest, .milliseconds(1))))
                    continuation.yield(.time)
                }
                continuation.yield(.end)
                continuation.finish()
            }
            defer { group.cancelAll() }
            try await writer.write(ByteBuffer(string: ": connected\n\n"))
            last = try await sendEvents(after: last, for: caller.principal, to: &writer)
            for await signal in signals {
                let before = last
                last = try await sendEvents(after: last, for: caller.principal, to: &writer)
                if case .time = signal, last == before { try await writer.write(ByteBuffer(string: ": heartbeat\n\n")) }
                if case .end = signal { break }
            }
        }
    }

    @concurrent private func sendEvents(
        after start: Int64, for principal: Principal, to writer: inout any ResponseBodyWriter
    ) async throws -> Int64 {
        var last = start
        while true {
            let page = try await events.events(after: last, limit: Self.pageSize, for: principal)
            guard let newest = page.last else { return last }
            var text = ""
            for event in page { text += "id: \(event.id)\nevent: \(event.kind.rawValue)\ndata: \(event.body)\n\n" }
            try await writer.write(ByteBuffer(string: text))
            last = newest.id
            if page.count < Self.pageSize { return last }
        }
    }
}
