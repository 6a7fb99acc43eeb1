/// What nginx is doing, as it was last seen.
package struct NginxStatus: Sendable, Equatable {
    /// The master process; `nil` while there is none.
    package var processID: Int32?
    /// The configuration in force. Sites come and go without a new one.
    package var generation = 0
    /// How often a running nginx was told to read its configuration again.
    package var reloads = 0
    /// How often it had to be started again because it had ended on its own.
    package var restarts = 0
    /// Whether it answered as it should when it was last asked.
    package var isAnswering = false
    /// Whom the workers of an nginx of ours run as; `nil` for the agent's own user.
    package var workerUser: String?
    /// What is wrong now.
    package var problem: NginxError?

    package init() {}
}
