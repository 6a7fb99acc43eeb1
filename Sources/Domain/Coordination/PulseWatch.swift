/// Sees which coordinators are gone, without comparing clocks.
///
/// Each coordinator counts a number up while it lives. One whose number stood still for the whole patience, by the watcher's
/// own monotonic clock, is taken for dead. One that was only slow counts on, and is alive again.
package struct PulseWatch<Instant: InstantProtocol>: Sendable where Instant.Duration == Duration {
    private var sights: [String: (pulse: Int64, since: Instant)] = [:]

    package init() {}

    /// Takes the numbers of all coordinators, by name, and returns those that stand still.
    package mutating func silent(among pulses: [String: Int64], at now: Instant, patience: Duration) -> Set<String> {
        var current: [String: (pulse: Int64, since: Instant)] = [:]
        var silent: Set<String> = []
        for (name, pulse) in pulses {
            let before = sights[name]
            let since = before?.pulse == pulse ? before?.since ?? now : now
            current[name] = (pulse, since)
            if since.duration(to: now) > patience { silent.insert(name) }
        }
        sights = current
        return silent
    }
}
