import Domain
import Testing

/// On which hosts a site is.
@Suite struct PlacementPolicyTests {
    private static func host(_ number: Int) -> HostID {
        HostID(at: Timestamp(millisecondsSinceEpoch: 1_000_000 + Int64(number)))
    }
    private static let hosts = (0..<6).map(host)

    private static func candidate(
        _ number: Int, labels: String = "", state: Host.State = .active,
        presence: PlacementCandidate.Presence = .here, load: Int = 0, has: Bool = false, serves: Bool? = nil
    ) throws -> PlacementCandidate {
        PlacementCandidate(
            host: hosts[number], labels: try HostLabels(labels), state: state, presence: presence, load: load,
            hasSite: has, isServing: serves ?? has)
    }

    @Test("A time that cannot be kept is refused")
    func endless() {
        #expect(throws: ServiceError.self) {
            _ = try PlacementPolicy(lostAfter: .seconds(Int64.max)).validated()
        }
    }

    @Test("Without a number a site is on every host that fits")
    func everywhere() throws {
        let change = PlacementPolicy.everywhere.change(among: [
            try Self.candidate(0, has: true), try Self.candidate(1), try Self.candidate(2, state: .draining),
        ])
        #expect(change.added == [Self.hosts[1]])
        #expect(change.removed.isEmpty)
    }

    @Test("The hosts with the fewest sites are taken first")
    func load() throws {
        let change = PlacementPolicy(copies: 2).change(among: [
            try Self.candidate(0, load: 9), try Self.candidate(1, load: 3), try Self.candidate(2, load: 5),
        ])
        #expect(change.added == [Self.hosts[1], Self.hosts[2]])
    }

    @Test("Copies are spread over the values of a label, even on a fuller host")
    func spread() throws {
        let change = PlacementPolicy(copies: 2, spread: "zone").change(among: [
            try Self.candidate(0, labels: "zone=north", load: 0), try Self.candidate(1, labels: "zone=north", load: 1),
            try Self.candidate(2, labels: "zone=south", load: 50),
        ])
        #expect(change.added == [Self.hosts[0], Self.hosts[2]])
    }

    @Test("Only hosts with the labels are taken, and what is missing is said")
    func selector() throws {
        let change = PlacementPolicy(copies: 2, selector: try HostLabels("disk=fast")).change(among: [
            try Self.candidate(0), try Self.candidate(1, labels: "disk=fast,zone=a"),
            try Self.candidate(2, labels: "disk=slow"),
        ])
        #expect(change.added == [Self.hosts[1]])
        #expect(change.missing == 1)
    }

    @Test("A site leaves a drained host only when another one serves it")
    func drain() throws {
        let policy = PlacementPolicy(copies: 1, leavesDraining: true)
        let first = policy.change(among: [
            try Self.candidate(0, state: .draining, has: true), try Self.candidate(1),
        ])
        #expect(first.added == [Self.hosts[1]] && first.removed.isEmpty)
        let waiting = policy.change(among: [
            try Self.candidate(0, state: .draining, has: true), try Self.candidate(1, has: true, serves: false),
        ])
        #expect(waiting == PlacementChange())
        let last = policy.change(among: [
            try Self.candidate(0, state: .draining, has: true), try Self.candidate(1, has: true),
        ])
        #expect(last.added.isEmpty && last.removed == [Self.hosts[0]])
    }

    @Test("A host that is away keeps its sites until it counts as lost")
    func lost() throws {
        let policy = PlacementPolicy(copies: 1, lostAfter: .seconds(600))
        let away = try Self.candidate(0, presence: .away(.seconds(540)), has: true)
        #expect(policy.change(among: [away, try Self.candidate(1)]) == PlacementChange())
        let lost = try Self.candidate(0, presence: .away(.seconds(600)), has: true)
        #expect(policy.change(among: [lost, try Self.candidate(1)]).added == [Self.hosts[1]])
    }

    @Test("Copies too many go, where they help least, and the site is never without one that serves")
    func surplus() throws {
        let change = PlacementPolicy(copies: 1).change(among: [
            try Self.candidate(0, load: 1, has: true), try Self.candidate(1, load: 8, has: true),
        ])
        #expect(change.removed == [Self.hosts[1]])
        let careful = PlacementPolicy(copies: 1).change(among: [
            try Self.candidate(0, load: 1, has: true, serves: false), try Self.candidate(1, load: 8, has: true),
        ])
        #expect(careful.removed.isEmpty)
    }

    @Test("Asking until nothing changes ends, with as many copies as were asked for", arguments: 1...5)
    func settles(copies: Int) throws {
        let policy = PlacementPolicy(copies: copies, spread: "zone")
        var placed: Set<HostID> = []
        for _ in 0..<10 {
            let candidates = try (0..<6).map { number in
                try Self.candidate(
                    number, labels: "zone=z\(number % 3)", load: number, has: placed.contains(Self.hosts[number]))
            }
            let change = policy.change(among: candidates)
            if change.added.isEmpty && change.removed.isEmpty { break }
            placed = placed.union(change.added).subtracting(change.removed)
        }
        #expect(placed.count == copies)
    }

    @Test("Labels are words, each once", arguments: ["zone", "=x", "zone=", "Zone=x", "a=b,a=c", "a=b c", "-a=b"])
    func labels(text: String) {
        #expect(throws: ServiceError.self) { try HostLabels(text) }
    }

    @Test("Labels read back as they were written, sorted")
    func labelText() throws {
        let labels = try HostLabels("zone=north,disk=fast")
        #expect(labels.description == "disk=fast,zone=north")
        #expect(try HostLabels(labels.description) == labels)
        #expect(labels["zone"] == "north")
    }
}
