/// Names one host.
package struct HostID: Identifier {
    package static let prefix = "host"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
