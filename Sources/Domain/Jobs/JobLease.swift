/// One host's right to one attempt at a job. Every protected write shows all four numbers.
package struct JobLease: Sendable, Hashable {
    package let job: JobID
    /// 1 for the first grant of the job; never given twice.
    package let attempt: Int
    package let token: LeaseToken
    package let fence: Fence

    package init(job: JobID, attempt: Int, token: LeaseToken, fence: Fence) {
        self.job = job
        self.attempt = attempt
        self.token = token
        self.fence = fence
    }
}
