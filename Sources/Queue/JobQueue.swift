package import Domain

/// Says which ready job is next. It holds identifiers only and decides nothing: the grant is made in the database,
/// and a queue that forgets costs time, never a job.
package protocol JobQueue: Sendable {
    /// Adds a ready job. Adding one twice is harmless. Higher priorities come first, then the older entry.
    func enqueue(_ job: JobID, priority: Int) async throws
    /// Takes the next job out; `nil` when `timeout` passes first. Throws `CancellationError` when cancelled.
    func dequeue(timeout: Duration) async throws -> JobID?
    /// Forgets a job; harmless when it is not there.
    func remove(_ job: JobID) async throws
    /// How many wait.
    func count() async throws -> Int
}
