/// What an agent says on its session.
package enum AgentMessage: Sendable, Equatable {
    package struct Hello: Sendable, Equatable {
        package var agentVersion: String
        package var roles: Set<HostRole>
        /// Changes with every boot of the machine.
        package var bootID: String
        /// Leases that it still works on.
        package var leases: [JobLease]
        /// Every site that it serves.
        package var inventory: [SiteStatus]
        /// Engines that it can run.
        package var engines: Set<EngineName>
        /// Chosen by each program when it starts; empty from agents that do not say.
        package var instance = ""

        package init(
            agentVersion: String, roles: Set<HostRole>, bootID: String, leases: [JobLease], inventory: [SiteStatus],
            engines: Set<EngineName>
        ) {
            self.agentVersion = agentVersion
            self.roles = roles
            self.bootID = bootID
            self.leases = leases
            self.inventory = inventory
            self.engines = engines
        }
    }

    /// Always first, and only once.
    case hello(Hello)
    /// Says that it is alive and renews these leases.
    case heartbeat(leases: [JobLease], diskFreeBytes: Int64, diskTotalBytes: Int64)
    /// How many more jobs it can take now. Replaces what it said before.
    case credit(slots: Int)
    case accept(JobLease)
    case reject(JobLease, reason: String)
    case progress(JobLease, step: String, percent: Int)
    /// A step of a generation was done. May be lost: the completion has all of them.
    case step(JobLease, GenerationStep)
    /// A piece of the job's log; `droppedBytes` were lost before it.
    case log(JobLease, text: String, droppedBytes: Int64)
    case complete(JobCompletion)
    case siteStatus(SiteStatus)
    /// How the host is; only to a coordinator that asked for it.
    case condition(HostCondition)
    /// What became of an order.
    case upgradeReport(UpgradeReport)
}
