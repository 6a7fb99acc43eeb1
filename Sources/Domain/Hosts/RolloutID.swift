/// Names one roll-out.
package struct RolloutID: Identifier {
    package static let prefix = "rollout"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
