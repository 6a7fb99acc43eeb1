package import Domain
import Synchronization

/// What hosts are doing besides their sessions, such as sending files: it ends when its host is shut out.
package final class OpenCalls: Sendable {
    private struct State {
        var next = 0
        var calls: [HostID: [Int: AsyncStream<Void>.Continuation]] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Runs `body` for a host; cancels it, and throws `unauthenticated`, when the host is shut out before it ended.
    package func during<Value: Sendable>(
        _ host: HostID, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (ends, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = add(end, of: host)
        defer { remove(number, of: host) }
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in ends { break }
                try Task.checkCancellation()
                throw ServiceError(
                    .unauthenticated, "the host was taken out of service while it was at work", rule: "host-revoked",
                    nextStep: "Invite it again with: pagewright host invite.")
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    /// Ends what a host has open here.
    func end(_ host: HostID) {
        let calls = state.withLock { $0.calls[host].map { Array($0.values) } ?? [] }
        for call in calls { call.yield() }
    }

    /// The hosts that have something open here.
    var hosts: Set<HostID> { state.withLock { Set($0.calls.keys) } }

    private func add(_ end: AsyncStream<Void>.Continuation, of host: HostID) -> Int {
        state.withLock { state in
            state.next += 1
            state.calls[host, default: [:]][state.next] = end
            return state.next
        }
    }

    private func remove(_ number: Int, of host: HostID) {
        state.withLock { state in
            state.calls[host]?[number] = nil
            if state.calls[host]?.isEmpty == true { state.calls[host] = nil }
        }
    }
}
