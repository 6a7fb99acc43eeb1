/// One version of the agent on its way to all hosts: first to one, then to a fifth, then to the rest.
///
/// A host that does not come back healthy within ``gate`` goes back to the version before, and nobody else gets the new
/// one. It looks at what is, never at what was sent, so that any coordinator can carry it on after a crash.
package struct Rollout: Sendable, Equatable, Identifiable {
    package enum State: String, Sendable, CaseIterable {
        case scheduled
        case running
        case succeeded
        /// A host failed: those that were not begun keep what they have.
        case stopped
        case cancelled

        package var isOver: Bool { self == .succeeded || self == .stopped || self == .cancelled }
    }

    package struct Member: Sendable, Equatable {
        package enum State: String, Sendable, CaseIterable {
            case waiting
            /// It has its order since ``Member/since``.
            case upgrading
            case healthy
            /// It is told to go back.
            case reverting
            case reverted
            /// It did not come back, with neither version.
            case failed
            /// It was away when its turn came, or left the fleet.
            case skipped
        }

        package let host: HostID
        /// 0 is the canary, 1 the fifth, 2 the rest.
        package let wave: Int
        package var state: State
        package var previousVersion: String
        /// The session that it had when it got its order; being healthy takes a newer one.
        package var epochBefore: Int64
        package var since: Timestamp?
        package var detail: String
        /// The jobs that it worked on when it got its order.
        package var tasks: [JobID]

        package init(
            host: HostID, wave: Int, state: State = .waiting, previousVersion: String = "", epochBefore: Int64 = 0,
            since: Timestamp? = nil, detail: String = "", tasks: [JobID] = []
        ) {
            self.tasks = tasks
            self.host = host
            self.wave = wave
            self.state = state
            self.previousVersion = previousVersion
            self.epochBefore = epochBefore
            self.since = since
            self.detail = detail
        }
    }

    /// What a coordinator sees of one host now.
    package struct Sight: Sendable, Equatable {
        package var isMember: Bool
        package var isConnected: Bool
        package var version: String
        package var epoch: Int64
        /// It has answered for everything that it is to serve.
        package var isReconciled: Bool
        /// The jobs that it works on.
        package var tasks: [JobID]
        /// How many of ``Member/tasks`` were taken from it before they ended.
        package var lostTasks: Int
        /// Why it is not well, in its own words; `nil` when it is.
        package var complaint: String?
        package var report: UpgradeReport?

        package init(
            isMember: Bool = true, isConnected: Bool, version: String, epoch: Int64, isReconciled: Bool = true,
            tasks: [JobID] = [], lostTasks: Int = 0, complaint: String? = nil, report: UpgradeReport? = nil
        ) {
            self.isMember = isMember
            self.isConnected = isConnected
            self.version = version
            self.epoch = epoch
            self.isReconciled = isReconciled
            self.tasks = tasks
            self.lostTasks = lostTasks
            self.complaint = complaint
            self.report = report
        }
    }

    package enum Effect: Sendable, Equatable {
        /// The host is to run this version.
        case order(HostID, UpgradeOrder)
        /// The host is to keep what it has.
        case release(HostID)
    }

    /// From the order to being healthy.
    package static let gate = Duration.seconds(120)
    /// A host that crashes with the new version goes back by itself; that takes a gate, and then it has to come up.
    package static let wayBack = Duration.seconds(300)
    package static let secondWaveInPercent = 20

    package let id: RolloutID
    package let target: ProgramVersionText
    package let startsAt: Timestamp
    package let createdAt: Timestamp
    package let createdBy: String
    package private(set) var state: State
    /// Why it was stopped, as a sentence.
    package private(set) var reason: String?
    package private(set) var finishedAt: Timestamp?
    package private(set) var members: [Member]

    /// Plans it for `hosts`, the first of which is the canary.
    package init(
        id: RolloutID, target: ProgramVersionText, hosts: [HostID], startsAt: Timestamp, createdBy: String,
        at now: Timestamp
    ) throws(ServiceError) {
        guard !hosts.isEmpty else {
            throw ServiceError(
                .failedPrecondition, "there is no host to upgrade", rule: "rollout-empty",
                nextStep: "Look at the fleet with: pagewright hosts.")
        }
        self.id = id
        self.target = target
        self.startsAt = startsAt
        createdAt = now
        self.createdBy = createdBy
        state = .scheduled
        let second = max(1, (hosts.count * Self.secondWaveInPercent + 99) / 100)
        members = hosts.enumerated().map { index, host in
            Member(host: host, wave: index == 0 ? 0 : index <= second ? 1 : 2)
        }
    }

    /// As it was kept.
    package init(
        id: RolloutID, target: ProgramVersionText, startsAt: Timestamp, createdAt: Timestamp, createdBy: String,
        state: State, reason: String?, finishedAt: Timestamp?, members: [Member]
    ) {
        self.id = id
        self.target = target
        self.startsAt = startsAt
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.state = state
        self.reason = reason
        self.finishedAt = finishedAt
        self.members = members
    }

    /// Hosts that begun go on to their end; no other one begins.
    package mutating func cancel(at now: Timestamp) throws(ServiceError) -> [Effect] {
        guard !state.isOver else {
            throw ServiceError(.conflict, "the roll-out is over already", rule: "rollout-over")
        }
        var effects: [Effect] = []
        for index in members.indices where members[index].state == .waiting || members[index].state == .upgrading {
            if members[index].state == .upgrading { effects.append(.release(members[index].host)) }
            members[index].state = .skipped
            members[index].detail = "The roll-out was cancelled."
        }
        state = .cancelled
        reason = "Somebody cancelled it."
        finishedAt = now
        return effects
    }

    /// Goes on as far as what is seen allows. Safe to repeat.
    package mutating func step(seeing sights: [HostID: Sight], at now: Timestamp) -> [Effect] {
        guard !state.isOver else { return [] }
        if state == .scheduled {
            guard now >= startsAt else { return [] }
            state = .running
        }
        var effects: [Effect] = []
        for index in members.indices {
            var member = members[index]
            switch member.state {
            case .upgrading: effects += judge(&member, sights[member.host], at: now)
            case .reverting: effects += watchReturn(&member, sights[member.host], at: now)
            case .waiting, .healthy, .reverted, .failed, .skipped: continue
            }
            members[index] = member
        }
        guard !members.contains(where: { $0.state == .upgrading || $0.state == .reverting }) else { return effects }
        if let bad = members.first(where: { $0.state == .reverted || $0.state == .failed }) {
            finish(.stopped, because: "\(bad.host): \(bad.detail)", at: now)
            return effects
        }
        guard let wave = members.filter({ $0.state == .waiting }).map(\.wave).min() else {
            finish(.succeeded, because: nil, at: now)
            return effects
        }
        for index in members.indices where members[index].wave == wave && members[index].state == .waiting {
            var member = members[index]
            effects += begin(&member, sights[member.host], at: now)
            members[index] = member
        }
        // A wave in which nobody had anything to do leads on to the next one at once.
        return members.contains { $0.state == .upgrading } ? effects : effects + step(seeing: sights, at: now)
    }

    private mutating func finish(_ end: State, because reason: String?, at now: Timestamp) {
        state = end
        self.reason = reason
        finishedAt = now
    }

    private func begin(_ member: inout Member, _ sight: Sight?, at now: Timestamp) -> [Effect] {
        guard let sight, sight.isMember, sight.isConnected else {
            member.state = .skipped
            member.detail = "It was not connected when its turn came."
            return []
        }
        guard sight.version != target.text else {
            member.state = .healthy
            member.previousVersion = sight.version
            member.detail = "It had this version already."
            return []
        }
        member.state = .upgrading
        member.previousVersion = sight.version
        member.epochBefore = sight.epoch
        member.tasks = sight.tasks
        member.since = now
        return [.order(member.host, UpgradeOrder(id: "\(id)-to", version: target))]
    }

    /// New version, new session, tasks held, everything served, no complaint: or back.
    private func judge(_ member: inout Member, _ sight: Sight?, at now: Timestamp) -> [Effect] {
        guard let sight, sight.isMember else {
            member.state = .skipped
            member.detail = "It left the fleet."
            return [.release(member.host)]
        }
        if let report = sight.report, report.order == "\(id)-to",
            report.outcome == .failed || report.outcome == .reverted
        {
            return goBack(&member, because: report.detail.isEmpty ? "Its upgrade failed." : report.detail, at: now)
        }
        guard let missing = lack(of: member, sight) else {
            member.state = .healthy
            member.detail = ""
            return [.release(member.host)]
        }
        guard let since = member.since, now - since >= Self.gate else { return [] }
        return goBack(&member, because: missing, at: now)
    }

    /// What is missing before the host counts as healthy, as a sentence.
    private func lack(of member: Member, _ sight: Sight) -> String? {
        if !sight.isConnected { return "It has no session since its upgrade began." }
        if sight.version != target.text { return "It still runs \(sight.version)." }
        if sight.epoch <= member.epochBefore { return "It has opened no new session." }
        if sight.lostTasks > 0 { return "It lost \(sight.lostTasks) of its tasks." }
        if !sight.isReconciled { return "It does not serve everything that it is to serve." }
        // A version that comes up and falls again is seen by the host before it says that it is done.
        if let report = sight.report, report.order == "\(id)-to", report.outcome == .begun {
            return "It still watches whether the new version stays well."
        }
        return sight.complaint
    }

    private func goBack(_ member: inout Member, because reason: String, at now: Timestamp) -> [Effect] {
        member.detail = reason
        member.since = now
        guard let previous = try? ProgramVersionText(member.previousVersion) else {
            member.state = .failed
            member.detail = "\(reason) The version before is not known."
            return [.release(member.host)]
        }
        member.state = .reverting
        return [.order(member.host, UpgradeOrder(id: "\(id)-back", version: previous))]
    }

    private func watchReturn(_ member: inout Member, _ sight: Sight?, at now: Timestamp) -> [Effect] {
        if let sight, sight.isMember, sight.isConnected, sight.version == member.previousVersion {
            member.state = .reverted
            return [.release(member.host)]
        }
        guard let since = member.since, now - since >= Self.wayBack || sight?.isMember == false else { return [] }
        member.state = .failed
        member.detail += " It did not come back with version \(member.previousVersion) either."
        return [.release(member.host)]
    }
}
