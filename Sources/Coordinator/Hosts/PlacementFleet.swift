import Database
import Domain
import Persistence

/// All serving hosts as they are now, for deciding where sites go.
struct PlacementFleet: Sendable {
    /// A host that was not heard of for this long is away; who is here is written down every 15 s.
    static let absence = Duration.seconds(45)

    let hosts: [Host]
    private let loads: [HostID: Int]
    private let now: Timestamp

    init(stores: Stores, at now: Timestamp, in transaction: any SQLTransaction) async throws {
        hosts = try await stores.hosts.list(in: transaction).filter {
            $0.roles.contains(.serving) && !$0.state.isShutOut
        }
        loads = try await stores.placements.loads(in: transaction)
        self.now = now
    }

    /// Changes whenever where sites belong can change.
    var fingerprint: [String] {
        hosts.map { "\($0.id) \($0.state.rawValue) \($0.labels) \(presence(of: $0))" }
    }

    /// `placements` are those of one site.
    func candidates(for placements: [Placement]) -> [PlacementCandidate] {
        let own = Dictionary(placements.map { ($0.host, $0) }) { first, _ in first }
        return hosts.map { host in
            let placement = own[host.id]
            return PlacementCandidate(
                host: host.id, labels: host.labels, state: host.state, presence: presence(of: host),
                load: loads[host.id, default: 0], hasSite: placement.map { !$0.isRemoved } ?? false,
                isServing: placement.map { $0.appliedGeneration > 0 && !$0.isRemoved && $0.state == .applied } ?? false)
        }
    }

    private func presence(of host: Host) -> PlacementCandidate.Presence {
        let silence = now - (host.lastSeenAt ?? host.createdAt)
        // In whole minutes, so that it changes seldom.
        return silence < Self.absence ? .here : .away(.seconds(silence.components.seconds / 60 * 60))
    }
}
