/// One site on a serving host, as far as it decides what becomes of a wanted state. Its generation never goes back, and
/// one generation means one state.
package struct SiteReplica: Sendable, Equatable {
    package enum Reply: Sendable, Equatable {
        /// Two states for one generation: a fault upstream that a person must see.
        case alarm
        /// It is served already, or something newer is: say what is served.
        case saySo(isCoordinatorBehind: Bool)
        /// It is being worked on, or something newer is.
        case nothing
        /// It is to be served.
        case converge
    }

    /// What visitors get; `nil` before the first generation.
    package var served: DesiredSite?
    /// The generation that must not be gone below, when its record cannot be read.
    package var floor: GenerationName?
    /// A newer state than what is served.
    package var wanted: DesiredSite?

    package init(served: DesiredSite? = nil, floor: GenerationName? = nil, wanted: DesiredSite? = nil) {
        self.served = served
        self.floor = floor
        self.wanted = wanted
    }

    package var generation: Int64 { served?.generation ?? floor?.generation ?? -1 }

    /// What to do with `value`. `named` gives the name of the generation that it would become.
    package func reply(to value: DesiredSite, named: (DesiredSite) -> GenerationName) -> Reply {
        if let served, value.generation <= served.generation {
            if value.generation == served.generation, !served.hasSameState(as: value) { return .alarm }
            return .saySo(isCoordinatorBehind: value.generation < served.generation)
        }
        if let floor, served == nil, value.generation <= floor.generation, named(value) != floor { return .alarm }
        if let wanted {
            if wanted.generation > value.generation { return .nothing }
            if wanted.generation == value.generation { return wanted.hasSameState(as: value) ? .nothing : .alarm }
        }
        return .converge
    }
}
