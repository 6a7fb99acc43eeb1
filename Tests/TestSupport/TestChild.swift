import Glibc
import Synchronization

/// A server that a test starts: it gets nothing of ours but its arguments, and dies with the test process, however that
/// dies. (Foundation's `Process` learns of a death by a socket that other children may hold open.)
package final class TestChild: Sendable {
    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    private struct State {
        var process: pid_t = 0
        var isRunning = false
    }

    private let state = Mutex(State())

    /// Starts `words[0]`. The kernel kills a child when the thread that started it ends, so that thread stays until the
    /// child ends.
    package init(_ words: [String]) async throws {
        let failure = await withCheckedContinuation { (continuation: CheckedContinuation<Int32, Never>) in
            let starter = Starter {
                let (code, process) = Self.spawn(["/usr/bin/setpriv", "--pdeathsig", "KILL"] + words)
                if code == 0 { self.state.withLock { $0 = State(process: process, isRunning: true) } }
                continuation.resume(returning: code)
                guard code == 0 else { return }
                var status: Int32 = 0
                while waitpid(process, &status, 0) < 0 && errno == EINTR {}
                self.state.withLock { $0.isRunning = false }
            }
            starter.start()
        }
        guard failure == 0 else { throw TestFailure("cannot start \(words[0]): \(String(cString: strerror(failure)))") }
    }

    package var isRunning: Bool { state.withLock { $0.isRunning } }

    package func signal(_ number: Int32) {
        state.withLock { state in
            if state.isRunning { _ = Glibc.kill(state.process, number) }
        }
    }

    /// As by `kill -9`; returns when it is gone.
    package func kill() {
        signal(SIGKILL)
        for _ in 0..<1000 where isRunning { usleep(10_000) }
    }

    private static func spawn(_ words: [String]) -> (code: Int32, process: pid_t) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in Int32(0)...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return (ENOSYS, 0) }
        guard unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3) == 0 else { return (ENOSYS, 0) }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for variable in environment { free(variable) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, words[0], &actions, nil, &arguments, &environment)
        return (code, process)
    }

    /// A thread that runs one closure.
    private final class Starter: Sendable {
        private let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }

        func start() {
            var thread = pthread_t()
            let retained = Unmanaged.passRetained(self).toOpaque()
            pthread_create(
                &thread, nil,
                { pointer in
                    if let pointer { Unmanaged<Starter>.fromOpaque(pointer).takeRetainedValue().body() }
                    return nil
                }, retained)
            pthread_detach(thread)
        }
    }
}
