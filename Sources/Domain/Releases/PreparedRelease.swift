/// A version on its way to all hosts of a site before any of them shows it.
package struct PreparedRelease: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        case wait
        /// Every host has it.
        case commit
        /// A sentence that names the host.
        case abort(String)
    }

    package let site: SiteID
    package let version: VersionNumber
    /// By host, the generation with which it was asked to prepare.
    package let generations: [HostID: Int64]
    package let deadline: Timestamp

    package init(site: SiteID, version: VersionNumber, generations: [HostID: Int64], deadline: Timestamp) {
        self.site = site
        self.version = version
        self.generations = generations
        self.deadline = deadline
    }

    /// `placements` are those of the site now; `names` is how people call the hosts.
    package func step(seeing placements: [Placement], names: [HostID: String], at now: Timestamp) -> Step {
        var late: [String] = []
        for placement in placements where !placement.isRemoved {
            let name = names[placement.host] ?? placement.host.text
            guard let generation = generations[placement.host] else {
                return .abort("The site was placed on \(name) meanwhile.")
            }
            if placement.state == .refused, placement.generation >= generation {
                return .abort("\(name) could not prepare it: \(placement.error ?? "no reason was given").")
            }
            if placement.appliedGeneration < generation { late.append(name) }
        }
        if late.isEmpty { return .commit }
        guard now >= deadline else { return .wait }
        return .abort("No answer in time from \(late.sorted().joined(separator: ", ")).")
    }
}
