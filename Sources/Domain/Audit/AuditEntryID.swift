/// Names one row of the audit log.
package struct AuditEntryID: Identifier {
    package static let prefix = "audit"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
