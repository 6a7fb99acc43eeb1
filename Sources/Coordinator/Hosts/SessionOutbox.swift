import BlockingIO
import Domain
import Synchronization

/// The frames on their way to one agent. Bounded: an agent that does not read loses its session, not our memory. Wanted
/// states are many and large; they wait for room instead.
final class SessionOutbox: Sendable {
    /// How many messages of wanted states may be queued.
    private static let desiredLimit = 8

    private let limit: Int
    private let desiredRoom = AsyncSlots(desiredLimit)
    private let stream: AsyncStream<CoordinatorMessage>
    private let continuation: AsyncStream<CoordinatorMessage>.Continuation
    private let overflowed = Atomic(false)

    init(limit: Int) {
        self.limit = limit
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(limit))
    }

    /// Queues a frame; `false` when the session is over. A full queue ends the session.
    @discardableResult
    func send(_ message: CoordinatorMessage) -> Bool {
        switch continuation.yield(message) {
        case .enqueued:
            return true
        case .dropped:
            overflowed.store(true, ordering: .relaxed)
            continuation.finish()
            return false
        case .terminated:
            return false
        @unknown default:
            return false
        }
    }

    /// Queues wanted states as soon as there is room for them.
    func send(desired sites: [DesiredSite], _ part: DesiredPart) async throws {
        try await desiredRoom.acquire()
        send(.desired(sites, part))
    }

    /// Ends the session after what was queued.
    func close() { continuation.finish() }

    /// Writes what is queued until the session is closed. For one task only.
    func drain(into send: @Sendable (CoordinatorMessage) async throws -> Void) async throws {
        for await message in stream {
            try await send(message)
            if case .desired = message { desiredRoom.release() }
        }
        try Task.checkCancellation()
        if overflowed.load(ordering: .relaxed) {
            throw ServiceError(.unavailable, "the agent does not read what it is sent", rule: "session-overflow")
        }
    }
}
