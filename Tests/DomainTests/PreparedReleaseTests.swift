import Domain
import Testing

/// Live on all hosts, or on none.
@Suite struct PreparedReleaseTests {
    private static let now = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)
    private static let site = SiteID(at: now)
    private static let hosts = (0..<2).map { HostID(at: now + .milliseconds(Int64($0))) }
    private static let names = [hosts[0]: "web-1", hosts[1]: "web-2"]

    private static func plan() throws -> PreparedRelease {
        PreparedRelease(
            site: site, version: try VersionNumber(3), generations: [hosts[0]: 7, hosts[1]: 9],
            deadline: now + .seconds(60))
    }

    private static func placement(
        _ host: Int, applied: Int64, _ state: Placement.State = .applied, error: String? = nil
    ) -> Placement {
        Placement(
            host: hosts[host], site: site, generation: [7, 9][host], state: state, appliedGeneration: applied,
            error: error, updatedAt: now)
    }

    @Test("It is committed when every host has prepared it, and not before")
    func commit() throws {
        let plan = try Self.plan()
        let half = [Self.placement(0, applied: 7), Self.placement(1, applied: 8, .pending)]
        #expect(plan.step(seeing: half, names: Self.names, at: Self.now) == .wait)
        let whole = [Self.placement(0, applied: 7), Self.placement(1, applied: 9)]
        #expect(plan.step(seeing: whole, names: Self.names, at: Self.now) == .commit)
    }

    @Test("One host that cannot stops it, and is named with its reason")
    func refused() throws {
        let placements = [Self.placement(0, applied: 7), Self.placement(1, applied: 8, .refused, error: "no space")]
        guard case .abort(let reason) = try Self.plan().step(seeing: placements, names: Self.names, at: Self.now) else {
            Issue.record("it went on")
            return
        }
        #expect(reason.contains("web-2") && reason.contains("no space"))
    }

    @Test("A host that does not answer in time stops it")
    func late() throws {
        let placements = [Self.placement(0, applied: 7), Self.placement(1, applied: 8, .pending)]
        let step = try Self.plan().step(seeing: placements, names: Self.names, at: Self.now + .seconds(60))
        #expect(step == .abort("No answer in time from web-2."))
    }
}
