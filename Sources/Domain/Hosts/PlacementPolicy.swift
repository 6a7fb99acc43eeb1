/// On which serving hosts a site is.
package struct PlacementPolicy: Sendable, Hashable {
    /// How many hosts; `nil` is all of them.
    package var copies: Int?
    /// Only hosts with all of these labels.
    package var selector: HostLabels
    /// A label whose values the copies shall differ in, such as `zone`; as far as there are different ones.
    package var spread: String?
    /// Whether a drained host's sites go elsewhere.
    package var leavesDraining: Bool
    /// How long a host may be away until its sites go elsewhere; `nil` is for ever.
    package var lostAfter: Duration?

    package static let everywhere = PlacementPolicy()

    package init(
        copies: Int? = nil, selector: HostLabels = .none, spread: String? = nil, leavesDraining: Bool = false,
        lostAfter: Duration? = nil
    ) {
        self.copies = copies
        self.selector = selector
        self.spread = spread
        self.leavesDraining = leavesDraining
        self.lostAfter = lostAfter
    }

    /// Refuses what no fleet can do.
    package func validated() throws(ServiceError) -> PlacementPolicy {
        if let copies, !(1...100).contains(copies) {
            throw ServiceError(
                .invalidArgument, "a site is on 1 to 100 hosts", field: "copies", rule: "placement-copies")
        }
        if let spread, !HostLabels.isWord(spread) {
            throw ServiceError(
                .invalidArgument, "\"\(spread.prefix(64))\" is no key of a label", field: "spread",
                rule: "label-format")
        }
        if let lostAfter, !(Duration.seconds(1)...Duration.seconds(315_360_000)).contains(lostAfter) {
            throw ServiceError(
                .invalidArgument, "a host counts as lost after 1 second to ten years", field: "lost_after_seconds",
                rule: "placement-lost-after")
        }
        return self
    }
}

/// A serving host, as far as it matters for where a site is put.
package struct PlacementCandidate: Sendable, Hashable {
    package enum Presence: Sendable, Hashable {
        case here
        /// Nobody has heard of it for so long.
        case away(Duration)
    }

    package let host: HostID
    package let labels: HostLabels
    package let state: Host.State
    package let presence: Presence
    /// How many sites it has.
    package let load: Int
    /// The site is placed on it now.
    package let hasSite: Bool
    /// And it serves what it is to serve of it.
    package let isServing: Bool

    package init(
        host: HostID, labels: HostLabels, state: Host.State, presence: Presence, load: Int, hasSite: Bool,
        isServing: Bool
    ) {
        self.host = host
        self.labels = labels
        self.state = state
        self.presence = presence
        self.load = load
        self.hasSite = hasSite
        self.isServing = isServing
    }
}

/// What changes for one site.
package struct PlacementChange: Sendable, Equatable {
    package var added: [HostID] = []
    package var removed: [HostID] = []
    /// How many copies there are too few, because no host fits.
    package var missing = 0

    package init() {}
}

extension PlacementPolicy {
    /// Compares where a site is with where it should be. A copy goes only when enough others serve the site, so a move is
    /// first one copy more and later one less; asking again after hosts answered brings it to its end.
    package func change(among candidates: [PlacementCandidate]) -> PlacementChange {
        var change = PlacementChange()
        let fitting = candidates.filter { mayHave($0) }
        var chosen = fitting.filter(\.hasSite)
        let wanted = copies ?? Int.max
        while chosen.count < wanted {
            let free = fitting.filter { candidate in
                candidate.state == .active && isPresent(candidate) && !chosen.contains { $0.host == candidate.host }
            }
            guard let best = free.min(by: { isBetter($0, than: $1, beside: chosen) }) else { break }
            change.added.append(best.host)
            chosen.append(best)
        }
        change.missing = copies.map { max(0, $0 - chosen.count) } ?? 0
        // What has to go: hosts that do not fit any more, then copies too many, those that help least first.
        var surplus = candidates.filter { $0.hasSite && !mayHave($0) }
        var kept = chosen.filter(\.hasSite)
        while kept.count > wanted, let worst = kept.max(by: { isBetter($0, than: $1, beside: kept) }) {
            kept.removeAll { $0.host == worst.host }
            surplus.append(worst)
        }
        let serving = kept.count(where: \.isServing)
        let isEnough = serving >= min(wanted, max(1, chosen.count))
        if isEnough { change.removed = surplus.map(\.host) }
        change.added.sort()
        change.removed.sort()
        return change
    }

    private func isPresent(_ candidate: PlacementCandidate) -> Bool {
        guard case .away = candidate.presence else { return true }
        // A new host that has not connected yet gets its sites with its first session.
        return copies == nil
    }

    /// Whether the site may be, or stay, on the host.
    private func mayHave(_ candidate: PlacementCandidate) -> Bool {
        guard candidate.labels.satisfies(selector), candidate.state != .revoked, candidate.state != .quarantined else {
            return false
        }
        if leavesDraining, candidate.state == .draining { return false }
        if let lostAfter, case .away(let time) = candidate.presence, time >= lostAfter { return false }
        return true
    }

    /// Fewer copies beside it with the same value of the spread label, then fewer sites, then the older host.
    private func isBetter(
        _ one: PlacementCandidate, than other: PlacementCandidate, beside chosen: [PlacementCandidate]
    ) -> Bool {
        func crowd(_ candidate: PlacementCandidate) -> Int {
            guard let spread else { return 0 }
            return chosen.count(where: { $0.host != candidate.host && $0.labels[spread] == candidate.labels[spread] })
        }
        let (first, second) = (crowd(one), crowd(other))
        if first != second { return first < second }
        if one.load != other.load { return one.load < other.load }
        return one.host < other.host
    }
}
