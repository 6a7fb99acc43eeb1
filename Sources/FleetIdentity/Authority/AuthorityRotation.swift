/// How far the change from one key of the fleet's authority to the next is.
package struct AuthorityRotation: Sendable, Equatable {
    package enum Step: String, Sendable, CaseIterable {
        case none
        /// Agents learn to trust both.
        case prepared
        /// Agents get certificates of the next one.
        case switched
    }

    package let step: Step
    /// What the coordinator shows itself with, and what join tokens name.
    package let current: PublicKeyPin
    package let next: PublicKeyPin?
}
