/// A task for one piece of work within a task that lives for long.
///
/// A task keeps the memory of the deepest call that it ever made until it ends. One that waits for hours, such as each
/// agent's session, leaves what is deep to a task that ends.
package enum PassingTask {
    /// Runs `work` and waits for it; cancelled with its caller.
    package static func run<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        async let value = work()
        return try await value
    }
}
