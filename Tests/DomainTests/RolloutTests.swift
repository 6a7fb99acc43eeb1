import Domain
import Testing

/// A new version on its way to all hosts.
@Suite struct RolloutTests {
    private static let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)

    private static func hosts(_ count: Int) -> [HostID] {
        (0..<count).map { HostID(at: start + .milliseconds(Int64($0))) }
    }

    private static func rollout(_ hosts: [HostID], startsAt: Timestamp = start) throws -> Rollout {
        try Rollout(
            id: RolloutID(at: start), target: try ProgramVersionText("1.1.0"), hosts: hosts, startsAt: startsAt,
            createdBy: "user", at: start)
    }

    private static func sight(_ version: String = "1.0.0", _ epoch: Int64 = 1) -> Rollout.Sight {
        Rollout.Sight(isConnected: true, version: version, epoch: epoch)
    }

    /// Every host that has an order runs what it was told, in a new session.
    private static func obey(_ effects: [Rollout.Effect], _ sights: inout [HostID: Rollout.Sight]) {
        for effect in effects {
            guard case .order(let host, let order) = effect else { continue }
            sights[host] = sight(order.version.text, (sights[host]?.epoch ?? 0) + 1)
        }
    }

    private static func ordered(_ effects: [Rollout.Effect]) -> Int {
        effects.count(where: { if case .order = $0 { true } else { false } })
    }

    @Test("First one host, then a fifth, then all others; each wave after the one before is healthy")
    func waves() throws {
        let hosts = Self.hosts(10)
        var rollout = try Self.rollout(hosts)
        var sights = Dictionary(uniqueKeysWithValues: hosts.map { ($0, Self.sight()) })
        var sizes: [Int] = []
        for second in 0..<10 {
            let effects = rollout.step(seeing: sights, at: Self.start + .seconds(Int64(second)))
            if Self.ordered(effects) > 0 { sizes.append(Self.ordered(effects)) }
            Self.obey(effects, &sights)
        }
        #expect(sizes == [1, 2, 7])
        #expect(rollout.state == .succeeded)
        #expect(rollout.members.allSatisfy { $0.state == .healthy })
    }

    @Test("Nothing begins before its time")
    func scheduled() throws {
        let hosts = Self.hosts(1)
        var rollout = try Self.rollout(hosts, startsAt: Self.start + .seconds(60))
        let sights = [hosts[0]: Self.sight()]
        let early = rollout.step(seeing: sights, at: Self.start + .seconds(59))
        #expect(early.isEmpty && rollout.state == .scheduled)
        let due = rollout.step(seeing: sights, at: Self.start + .seconds(60))
        #expect(Self.ordered(due) == 1)
    }

    @Test("A host that is not well in time goes back, and the roll-out stops at it")
    func gate() throws {
        let hosts = Self.hosts(5)
        var rollout = try Self.rollout(hosts)
        var sights = Dictionary(uniqueKeysWithValues: hosts.map { ($0, Self.sight()) })
        _ = rollout.step(seeing: sights, at: Self.start)
        // It is there with the new version, and says that nginx does not answer.
        sights[hosts[0]] = Self.sight("1.1.0", 2)
        sights[hosts[0]]?.complaint = "nginx does not answer"
        let early = rollout.step(seeing: sights, at: Self.start + .seconds(119))
        #expect(early.isEmpty)
        let effects = rollout.step(seeing: sights, at: Self.start + .seconds(120))
        #expect(
            effects == [
                .order(hosts[0], UpgradeOrder(id: "\(rollout.id)-back", version: try ProgramVersionText("1.0.0")))
            ])
        sights[hosts[0]] = Self.sight("1.0.0", 3)
        let end = rollout.step(seeing: sights, at: Self.start + .seconds(130))
        #expect(end == [.release(hosts[0])])
        #expect(rollout.state == .stopped)
        #expect(rollout.reason?.contains("nginx does not answer") == true)
        #expect(rollout.members.dropFirst().allSatisfy { $0.state == .waiting })
    }

    @Test("A host that still watches its new version is not healthy yet, and nobody follows it")
    func watched() throws {
        let hosts = Self.hosts(2)
        var rollout = try Self.rollout(hosts)
        var sights = Dictionary(uniqueKeysWithValues: hosts.map { ($0, Self.sight()) })
        _ = rollout.step(seeing: sights, at: Self.start)
        sights[hosts[0]] = Self.sight("1.1.0", 2)
        sights[hosts[0]]?.report = UpgradeReport(order: "\(rollout.id)-to", outcome: .begun)
        let early = rollout.step(seeing: sights, at: Self.start + .seconds(5))
        #expect(early.isEmpty && rollout.members[0].state == .upgrading && rollout.members[1].state == .waiting)
        sights[hosts[0]]?.report = UpgradeReport(order: "\(rollout.id)-to", outcome: .done)
        let next = rollout.step(seeing: sights, at: Self.start + .seconds(8))
        #expect(rollout.members[0].state == .healthy && Self.ordered(next) == 1)
    }

    @Test("What the host itself reports as failed is not waited for")
    func report() throws {
        let hosts = Self.hosts(2)
        var rollout = try Self.rollout(hosts)
        var sights = Dictionary(uniqueKeysWithValues: hosts.map { ($0, Self.sight()) })
        _ = rollout.step(seeing: sights, at: Self.start)
        sights[hosts[0]]?.report = UpgradeReport(order: "\(rollout.id)-to", outcome: .reverted, detail: "It crashed.")
        _ = rollout.step(seeing: sights, at: Self.start + .seconds(5))
        _ = rollout.step(seeing: sights, at: Self.start + .seconds(6))
        #expect(rollout.state == .stopped)
        #expect(rollout.reason?.contains("It crashed.") == true)
    }

    @Test(
        "A session of before, a task that was lost, and sites that are not served are not health",
        arguments: [0, 1, 2, 3])
    func health(lack: Int) throws {
        let hosts = Self.hosts(1)
        var rollout = try Self.rollout(hosts)
        _ = rollout.step(seeing: [hosts[0]: Self.sight()], at: Self.start)
        var sight = Self.sight("1.1.0", 2)
        switch lack {
        case 0: sight.epoch = 1
        case 1: sight.lostTasks = 1
        case 2: sight.isReconciled = false
        default: sight.isConnected = false
        }
        _ = rollout.step(seeing: [hosts[0]: sight], at: Self.start + .seconds(10))
        #expect(rollout.members[0].state == .upgrading)
        _ = rollout.step(seeing: [hosts[0]: Self.sight("1.1.0", 2)], at: Self.start + .seconds(20))
        #expect(rollout.state == .succeeded)
    }

    @Test("A host that comes back with neither version is a failure that a person has to see")
    func lost() throws {
        let hosts = Self.hosts(1)
        var rollout = try Self.rollout(hosts)
        _ = rollout.step(seeing: [hosts[0]: Self.sight()], at: Self.start)
        var away = Self.sight()
        away.isConnected = false
        _ = rollout.step(seeing: [hosts[0]: away], at: Self.start + .seconds(121))
        #expect(rollout.members[0].state == .reverting)
        _ = rollout.step(seeing: [hosts[0]: away], at: Self.start + .seconds(121) + Rollout.wayBack)
        #expect(rollout.members[0].state == .failed)
        #expect(rollout.state == .stopped)
    }

    @Test("Hosts that are away or up to date are passed over")
    func passedOver() throws {
        let hosts = Self.hosts(3)
        var rollout = try Self.rollout(hosts)
        var sights = [hosts[0]: Self.sight("1.1.0"), hosts[1]: Self.sight(), hosts[2]: Self.sight()]
        sights[hosts[1]]?.isConnected = false
        let effects = rollout.step(seeing: sights, at: Self.start)
        #expect(Self.ordered(effects) == 1)
        #expect(rollout.members.map(\.state) == [.healthy, .skipped, .upgrading])
    }

    @Test("A cancelled roll-out begins nobody, and is over")
    func cancelled() throws {
        let hosts = Self.hosts(3)
        var rollout = try Self.rollout(hosts)
        let sights = Dictionary(uniqueKeysWithValues: hosts.map { ($0, Self.sight()) })
        _ = rollout.step(seeing: sights, at: Self.start)
        let effects = try rollout.cancel(at: Self.start)
        #expect(effects == [.release(hosts[0])])
        let later = rollout.step(seeing: sights, at: Self.start + .seconds(1))
        #expect(later.isEmpty)
        #expect(throws: ServiceError.self) { try rollout.cancel(at: Self.start) }
    }

    @Test(
        "What is no version of a package goes to no host",
        arguments: ["", "latest", "1.0;reboot", "$(id)", "1 2", "-1"])
    func versions(text: String) {
        #expect(throws: ServiceError.self) { try ProgramVersionText(text) }
    }
}
