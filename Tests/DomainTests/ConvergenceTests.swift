import Domain
import Testing

/// What a host makes of a wanted state, and what the coordinator makes of the host's answer.
@Suite struct ConvergenceTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_000_000)
    private static let site = SiteID(at: now)

    private static func state(_ generation: Int64, _ maintenance: String? = nil) -> DesiredSite {
        DesiredSite(site: site, generation: generation, maintenance: maintenance)
    }

    private static func digest(_ digit: Character) -> ContentDigest {
        ContentDigest(String(repeating: digit, count: 64))!
    }

    private static func name(_ value: DesiredSite) -> GenerationName {
        GenerationName(generation: value.generation, digest: digest(value.maintenance == nil ? "a" : "b"))
    }

    @Test("A host takes a higher generation, passes over a lower one, and refuses two states for one")
    func replies() {
        let replica = SiteReplica(served: Self.state(5), wanted: Self.state(7))
        #expect(replica.reply(to: Self.state(8), named: Self.name) == .converge)
        #expect(replica.reply(to: Self.state(7), named: Self.name) == .nothing)
        #expect(replica.reply(to: Self.state(7, "away"), named: Self.name) == .alarm)
        #expect(replica.reply(to: Self.state(6), named: Self.name) == .nothing)
        #expect(replica.reply(to: Self.state(5), named: Self.name) == .saySo(isCoordinatorBehind: false))
        #expect(replica.reply(to: Self.state(5, "away"), named: Self.name) == .alarm)
        #expect(replica.reply(to: Self.state(4, "away"), named: Self.name) == .saySo(isCoordinatorBehind: true))
    }

    @Test("A host whose record cannot be read takes back the same state, and nothing below it")
    func floor() {
        let replica = SiteReplica(floor: Self.name(Self.state(5)))
        #expect(replica.generation == 5)
        #expect(replica.reply(to: Self.state(5), named: Self.name) == .converge)
        #expect(replica.reply(to: Self.state(5, "away"), named: Self.name) == .alarm)
        #expect(replica.reply(to: Self.state(4), named: Self.name) == .alarm)
        #expect(replica.reply(to: Self.state(6, "away"), named: Self.name) == .converge)
    }

    private static func placement(_ generation: Int64, _ state: Placement.State) -> Placement {
        Placement(host: HostID(at: now), site: site, generation: generation, state: state, updatedAt: now)
    }

    private static func status(_ generation: Int64, _ digit: Character) -> SiteStatus {
        SiteStatus(site: site, generation: generation, digest: digest(digit), condition: .applied)
    }

    @Test("A host that is ahead of a restored database makes the next generation higher still")
    func hostIsAhead() {
        var placement = Self.placement(3, .pending)
        #expect(
            placement.compare(Self.status(7, "a"), digest: nil, at: Self.now)
                == .raise(above: 7, because: .hostIsAhead))
    }

    @Test("A restored database that counted up to another state of the same generation makes a new one")
    func hostIsElsewhere() {
        var placement = Self.placement(7, .pending)
        #expect(placement.needsDigest(for: Self.status(7, "a")))
        #expect(
            placement.compare(Self.status(7, "a"), digest: Self.digest("b"), at: Self.now)
                == .raise(above: 7, because: .otherState))
        #expect(placement.compare(Self.status(7, "b"), digest: Self.digest("b"), at: Self.now) == .noted)
        #expect(placement.state == .applied && placement.appliedGeneration == 7)
        #expect(!placement.needsDigest(for: Self.status(7, "b")), "it is known already")
    }

    @Test("What a host says of an older generation does not change what is known of the newest")
    func olderWord() {
        var placement = Self.placement(7, .pending)
        #expect(placement.note(Self.status(6, "a"), digest: Self.digest("b"), at: Self.now) == .noted)
        #expect(placement.state == .pending && placement.appliedGeneration == 6)
    }
}
