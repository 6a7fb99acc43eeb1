/// Names one job.
package struct JobID: Identifier {
    package static let prefix = "job"
    package let text: String
    package init(unchecked text: String) { self.text = text }
}
