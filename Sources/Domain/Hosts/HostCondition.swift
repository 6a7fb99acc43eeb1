/// How a host is, in its own words; told with the session.
package struct HostCondition: Sendable, Hashable {
    package enum Level: Int, Sendable, Comparable, CaseIterable {
        case ok = 0
        case degraded = 1
        case bad = 2

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    package var level: Level
    /// The worst problem; empty when all is well.
    package var problem: String
    /// Somebody on the host drained it.
    package var isDrained: Bool

    package init(level: Level, problem: String = "", isDrained: Bool = false) {
        self.level = level
        self.problem = problem
        self.isDrained = isDrained
    }
}
