import BlockingIO
package import Domain
import FleetIdentity

/// Puts together what `pagewright-agent status` shows.
package struct StatusReporter: Sendable {
    private let identity: AgentIdentityHolder
    private let participants: [any SessionParticipant]
    private let contact: CoordinatorContact
    private let facts: AgentFacts
    private let drain: LocalDrain?
    private let clock: any WallClock

    package init(
        identity: AgentIdentityHolder, participants: [any SessionParticipant], contact: CoordinatorContact,
        facts: AgentFacts, drain: LocalDrain? = nil, clock: any WallClock
    ) {
        self.drain = drain
        self.identity = identity
        self.participants = participants
        self.contact = contact
        self.facts = facts
        self.clock = clock
    }

    /// The worst problems first.
    package func status() async -> AgentStatus {
        let identity = identity.current
        let contact = contact.facts
        var status = AgentStatus(
            host: identity.host.text, name: identity.hostName, roles: identity.roles.map(\.rawValue).sorted(),
            version: facts.version, coordinator: identity.coordinator)
        status.isConnected = contact.isConnected
        status.lastContactAt = contact.lastContactAt?.millisecondsSinceEpoch
        status.certificateExpiresAt = identity.certificate.notAfter.millisecondsSinceEpoch
        addDisk(to: &status)
        addContact(contact, of: identity, to: &status)
        status.isDrained = drain?.isDrained
        if drain?.isDrained == true {
            status.problems.append(
                .init(
                    level: .ok, message: "Somebody on this host drained it: it takes no new jobs.",
                    nextStep: "Let it work again: pagewright-agent resume."))
        }
        for participant in participants { await participant.report(in: &status) }
        status.problems.sort { $0.level > $1.level }
        return status
    }

    private func addDisk(to status: inout AgentStatus) {
        // One system call on the file system of our own state, which we read and write all the time.
        guard let disk = try? DiskSpace(at: facts.stateDirectory) else { return }
        status.diskFreeBytes = disk.freeBytes
        status.diskTotalBytes = disk.totalBytes
        if let inodes = try? InodeSpace(at: facts.stateDirectory), inodes.isShort {
            status.problems.append(
                .init(
                    level: .degraded, message: "Less than 2 % of the files that the disk can hold are free.",
                    nextStep: "Delete files on the file system of \(facts.stateDirectory)."))
        }
        if disk.freeBytes < 1 << 30, disk.freeBytes < disk.totalBytes / 20 {
            status.problems.append(
                .init(
                    level: .degraded, message: "Less than 1 GiB of disk is free.",
                    nextStep: "Free space on the file system of \(facts.stateDirectory)."))
        }
    }

    private func addContact(
        _ contact: CoordinatorContact.Facts, of identity: AgentIdentity, to status: inout AgentStatus
    ) {
        let now = clock.now()
        if identity.certificate.notAfter <= now {
            status.problems.append(
                .init(
                    level: .bad, message: "The certificate of this host expired at \(identity.certificate.notAfter).",
                    nextStep: "The agent renews it by itself when the coordinator is back; "
                        + "after 14 days the host must be invited again."))
        }
        guard !contact.isConnected else { return }
        let since = contact.lastContactAt.map { " since \($0)" } ?? ""
        let reason = contact.failure.map { ": \($0.message)" } ?? ""
        status.problems.append(
            .init(
                level: contact.failure?.rule == "host-revoked" ? .bad : .degraded,
                message: "There is no session with the coordinator at \(identity.coordinator)\(since)\(reason). "
                    + "Sites keep being served.",
                nextStep: contact.failure?.nextStep ?? "The agent tries again by itself."))
    }
}
