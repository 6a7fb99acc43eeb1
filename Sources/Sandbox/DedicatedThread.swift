import Glibc

/// A thread of its own for one piece of blocking work.
///
/// bubblewrap's `--die-with-parent` follows the *thread* that started it: a thread of a pool may end when it is idle
/// and would take the sandbox with it. Here the thread that starts a sandbox is the one that waits for its end.
enum DedicatedThread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let work = Work { continuation.resume(with: Result(catching: body)) }
            var thread = pthread_t()
            let retained = Unmanaged.passRetained(work)
            let result = pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().body()
                    return nil
                }, retained.toOpaque())
            guard result == 0 else {
                retained.release()
                continuation.resume(throwing: SystemFailure("pthread_create", result))
                return
            }
            pthread_detach(thread)
        }
    }
}
