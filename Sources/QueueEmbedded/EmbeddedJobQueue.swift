package import Domain
package import Queue
import Synchronization

/// The queue of a one-coordinator installation: in memory, and filled from the database.
package final class EmbeddedJobQueue: JobQueue {
    fileprivate struct Place {
        var entry: QueueEntry
        /// `nil` when it can be taken now.
        var dueAt: ContinuousClock.Instant?
    }

    fileprivate struct State {
        var places: [JobID: Place] = [:]
        /// By label, best last.
        var ready: [QueueLabel: [QueueEntry]] = [:]
        var delayed: Set<JobID> = []
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextListener = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func enqueue(_ entries: [QueueEntry], delay: Duration) async throws {
        let listeners = state.withLock { state in
            for entry in entries {
                state.remove(entry.job)
                state.insert(entry, dueAt: delay > .zero ? .now + delay : nil)
            }
            return entries.isEmpty ? [] : Array(state.listeners.values)
        }
        for listener in listeners { listener.yield() }
    }

    package func restore(_ entries: [QueueEntry]) async throws {
        let listeners = state.withLock { state in
            var isChanged = false
            for entry in entries where state.places[entry.job]?.entry.label != entry.label {
                state.remove(entry.job)
                state.insert(entry, dueAt: nil)
                isChanged = true
            }
            return isChanged ? Array(state.listeners.values) : []
        }
        for listener in listeners { listener.yield() }
    }

    package func take(_ labels: Set<QueueLabel>) async throws -> QueueAnswer {
        state.withLock { state in
            let now = ContinuousClock.now
            var nextDue: ContinuousClock.Instant?
            for job in state.delayed {
                guard let place = state.places[job], let dueAt = place.dueAt else { continue }
                if dueAt <= now {
                    state.remove(job)
                    state.insert(place.entry, dueAt: nil)
                } else if labels.contains(place.entry.label) {
                    nextDue = min(nextDue ?? dueAt, dueAt)
                }
            }
            let best = labels.compactMap { state.ready[$0]?.last }.max(by: Self.isWorse)
            guard let best else { return .empty(nextAfter: nextDue.map { $0 - now }) }
            state.remove(best.job)
            return .entry(best)
        }
    }

    package func remove(_ job: JobID) async throws { state.withLock { $0.remove(job) } }

    package func depths() async throws -> [QueueLabel: Int] {
        state.withLock { state in
            state.places.values.reduce(into: [:]) { $0[$1.entry.label, default: 0] += 1 }
        }
    }

    package func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    fileprivate static func isWorse(_ left: QueueEntry, _ right: QueueEntry) -> Bool {
        (left.priority, right.job) < (right.priority, left.job)
    }
}

extension EmbeddedJobQueue.State {
    fileprivate mutating func insert(_ entry: QueueEntry, dueAt: ContinuousClock.Instant?) {
        places[entry.job] = EmbeddedJobQueue.Place(entry: entry, dueAt: dueAt)
        guard dueAt == nil else {
            delayed.insert(entry.job)
            return
        }
        ready[entry.label, default: []].insert(entry, at: position(of: entry))
    }

    fileprivate mutating func remove(_ job: JobID) {
        guard let place = places.removeValue(forKey: job) else { return }
        guard place.dueAt == nil else {
            delayed.remove(job)
            return
        }
        let position = position(of: place.entry)
        ready[place.entry.label]?.remove(at: position)
        if ready[place.entry.label]?.isEmpty == true { ready[place.entry.label] = nil }
    }

    /// Where an entry is or belongs: behind all that are worse.
    private func position(of entry: QueueEntry) -> Int {
        let line = ready[entry.label] ?? []
        var low = 0
        var high = line.count
        while low < high {
            let middle = (low + high) / 2
            if EmbeddedJobQueue.isWorse(line[middle], entry) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
