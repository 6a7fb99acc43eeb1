import CLinux
import ServiceLifecycle

/// Gives back, once, what only the start of the program needed of it: half of the agent's instructions run when it starts
/// and then never again, and would stay in its memory.
struct StartPages: Service {
    /// How long a start takes at most, with a first session and all sites looked at. What runs later is mapped again.
    let start: Duration

    func run() async {
        await cancelWhenGracefulShutdown {
            try? await Task.sleep(for: start)
            guard !Task.isCancelled else { return }
            release_program_pages()
            // A service that ends takes the agent with it.
            for await _ in AsyncStream<Void>(unfolding: { try? await Task.sleep(for: .seconds(3600)) }) {}
        }
    }
}
