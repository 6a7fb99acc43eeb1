import CEpoll
import Database
import Glibc
import Synchronization

/// One thread that waits for sockets (epoll), so that no other thread has to.
///
/// The thread begins with the first wait and ends with this object.
final class SocketReadiness: Sendable {
    enum Interest {
        case reading, writing, readingOrWriting
    }

    enum Outcome: Sendable {
        /// Something happened on the socket, or may have: look and wait again.
        case ready
        case timedOut
        case cancelled
    }

    /// How exact time limits are.
    private static let tickInMilliseconds: CInt = 250

    private let core: Core
    private let pulse: Pulse

    init() throws {
        core = try Core()
        pulse = Pulse()
    }

    deinit { core.stop() }

    /// Waits until `descriptor` can be read or written, until `deadline`, or for the end of the task when
    /// `isCancellable`. One wait at a time for one descriptor.
    func wait(
        for descriptor: CInt, _ interest: Interest, until deadline: ContinuousClock.Instant, isCancellable: Bool
    ) async -> Outcome {
        begin()
        let ticket = core.takeTicket()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                core.add(
                    Core.Waiter(ticket: ticket, deadline: deadline, continuation: continuation), for: descriptor,
                    interest)
                if isCancellable, Task.isCancelled { core.finish(descriptor, ticket: ticket, .cancelled) }
            }
        } onCancel: {
            if isCancellable { core.finish(descriptor, ticket: ticket, .cancelled) }
        }
    }

    /// Calls `body` about every quarter of a second, once the thread has begun and until `body` returns `false`. It must not
    /// block, and not call this.
    func onTick(_ body: @escaping @Sendable (ContinuousClock.Instant) -> Bool) { core.add(body) }

    /// Makes sure that the thread runs.
    func begin() {
        guard pulse.isFirst() else { return }
        let retained = Unmanaged.passRetained(core)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Core>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, retained.toOpaque())
        precondition(result == 0, "no thread could be started: \(result)")
        pthread_detach(thread)
    }

    private final class Pulse: Sendable {
        private let hasBegun = Atomic(false)

        func isFirst() -> Bool { !hasBegun.load(ordering: .relaxed) && !hasBegun.exchange(true, ordering: .relaxed) }
    }

    private final class Core: Sendable {
        struct Waiter {
            let ticket: UInt64
            let deadline: ContinuousClock.Instant
            let continuation: CheckedContinuation<Outcome, Never>
        }

        private let waiters = Mutex<[CInt: Waiter]>([:])
        private let tickers = Mutex<[@Sendable (ContinuousClock.Instant) -> Bool]>([])
        private let lastTicket = Atomic<UInt64>(0)
        private let isStopped = Atomic(false)
        private let events: CInt

        init() throws {
            events = epoll_create1(CInt(EPOLL_CLOEXEC))
            guard events >= 0 else { throw SQLError(.other, "cannot watch sockets: errno \(errno)") }
        }

        deinit { close(events) }

        func add(_ ticker: @escaping @Sendable (ContinuousClock.Instant) -> Bool) {
            tickers.withLock { $0.append(ticker) }
        }

        func takeTicket() -> UInt64 { lastTicket.wrappingAdd(1, ordering: .relaxed).newValue }

        func add(_ waiter: sending Waiter, for descriptor: CInt, _ interest: Interest) {
            // The waiter is there before the socket can say anything.
            waiters.withLock { waiters in
                precondition(waiters[descriptor] == nil, "one wait at a time for one socket")
                waiters[descriptor] = waiter
            }
            var event = epoll_event()
            event.events = interest.mask | EPOLLONESHOT.rawValue
            event.data.fd = descriptor
            // libpq closes and opens sockets as it likes, and a closed one leaves the set by itself.
            if epoll_ctl(events, EPOLL_CTL_MOD, descriptor, &event) != 0,
                epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event) != 0
            {
                // A socket that cannot be watched is one that libpq will find broken.
                finish(descriptor, ticket: nil, .ready)
            }
        }

        /// Ends a wait, if it is the one with this ticket.
        func finish(_ descriptor: CInt, ticket: UInt64?, _ outcome: Outcome) {
            let waiter = waiters.withLock { waiters -> Waiter? in
                guard let waiter = waiters[descriptor], ticket == nil || ticket == waiter.ticket else { return nil }
                return waiters.removeValue(forKey: descriptor)
            }
            waiter?.continuation.resume(returning: outcome)
        }

        func stop() { isStopped.store(true, ordering: .relaxed) }

        /// The thread's work.
        func run() {
            let capacity = 64
            let ready = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
            defer { ready.deallocate() }
            var lastCheck = ContinuousClock.now
            while !isStopped.load(ordering: .relaxed) {
                let count = epoll_wait(events, ready, CInt(capacity), tickInMilliseconds)
                for index in 0..<max(0, Int(count)) { finish(ready[index].data.fd, ticket: nil, .ready) }
                let now = ContinuousClock.now
                if now - lastCheck >= .milliseconds(Int(tickInMilliseconds)) {
                    lastCheck = now
                    expire(at: now)
                    tickers.withLock { tickers in tickers.removeAll { !$0(now) } }
                }
            }
        }

        private func expire(at now: ContinuousClock.Instant) {
            let expired = waiters.withLock { waiters in
                let expired = waiters.filter { $0.value.deadline <= now }
                for descriptor in expired.keys { waiters[descriptor] = nil }
                return expired.values.map(\.continuation)
            }
            for continuation in expired { continuation.resume(returning: .timedOut) }
        }
    }
}

extension SocketReadiness.Interest {
    fileprivate var mask: UInt32 {
        switch self {
        case .reading: EPOLLIN.rawValue
        case .writing: EPOLLOUT.rawValue
        case .readingOrWriting: EPOLLIN.rawValue | EPOLLOUT.rawValue
        }
    }
}
