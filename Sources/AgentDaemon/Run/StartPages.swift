import CLinux
import ServiceLifecycle

/// Gives back what the agent needs of its program only at times: half of its instructions run when it starts, many of them
/// again when an edit does, and all of them would stay in its memory.
struct StartPages: Service {
    /// How long a start takes at most, with a first session and all sites looked at. What runs later is mapped again.
    let start: Duration
    /// How long what came back since then may stay. Less than a millisecond maps it again.
    let again: Duration

    func run() async {
        await cancelWhenGracefulShutdown {
            // A service that ends takes the agent with it: this one stays, asleep, until the agent ends.
            try? await Task.sleep(for: start)
            while !Task.isCancelled {
                release_program_pages()
                try? await Task.sleep(for: again)
            }
        }
    }
}
