package import Domain

/// A ready job as the queue knows it: enough to say who is next, and nothing that anybody decides by.
package struct QueueEntry: Sendable, Hashable {
    package let job: JobID
    package let label: QueueLabel
    /// Higher ones come first. Beyond 2^53 on either side they are all alike.
    package let priority: Int

    package init(job: JobID, label: QueueLabel, priority: Int) {
        self.job = job
        self.label = label
        self.priority = priority
    }
}
