/// Where the session of a host is, and what the host can take, as its coordinator said last. For people and for reasons why
/// something waits; no decision rests on it.
package struct HostPresence: Sendable, Equatable {
    package let host: HostID
    /// The name of the coordinator that has the session.
    package let coordinator: String
    package let epoch: Int64
    package let isWorker: Bool
    package let engines: Set<EngineName>
    /// How many more jobs it can take now.
    package let slots: Int
    /// Whether it gets no new work.
    package let isDraining: Bool
    /// `nil` until the host said it.
    package let diskFreeBytes: Int64?
    package let diskTotalBytes: Int64?

    package init(
        host: HostID, coordinator: String, epoch: Int64, isWorker: Bool = false, engines: Set<EngineName> = [],
        slots: Int = 0, isDraining: Bool = false, diskFreeBytes: Int64? = nil, diskTotalBytes: Int64? = nil
    ) {
        self.host = host
        self.coordinator = coordinator
        self.epoch = epoch
        self.isWorker = isWorker
        self.engines = engines
        self.slots = slots
        self.isDraining = isDraining
        self.diskFreeBytes = diskFreeBytes
        self.diskTotalBytes = diskTotalBytes
    }

    /// Whether `other` says something else that is worth writing down: the room on a disk changes with every breath of a
    /// machine, and a hundredth of it interests nobody.
    package func differs(from other: Self) -> Bool {
        guard host == other.host, coordinator == other.coordinator, epoch == other.epoch, isWorker == other.isWorker,
            engines == other.engines, slots == other.slots, isDraining == other.isDraining,
            diskTotalBytes == other.diskTotalBytes, (diskFreeBytes == nil) == (other.diskFreeBytes == nil)
        else { return true }
        guard let free = diskFreeBytes, let before = other.diskFreeBytes, let total = diskTotalBytes else {
            return false
        }
        return (max(free, before) - min(free, before)) > total / 100
    }
}
