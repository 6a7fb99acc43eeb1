/// Who did it.
package enum AuditActor: Sendable, Hashable {
    case user(UserID)
    case host(HostID)
    /// Somebody at the coordinator's own machine, with its command.
    case operatorHere
    /// A coordinator by itself: because of the time, or of what it found.
    case system

    /// The word in the log: an identifier, `operator` or `system`.
    package var text: String {
        switch self {
        case .user(let user): user.text
        case .host(let host): host.text
        case .operatorHere: "operator"
        case .system: "system"
        }
    }
}
