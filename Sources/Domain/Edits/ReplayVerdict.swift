/// Whether a stored transcript leads to the same result again.
package enum ReplayVerdict: Sendable, Equatable {
    case same(VersionNumber)
    case different(JobFailure)

    package init(expected: ContentDigest, version: VersionNumber, found: ContentDigest) {
        self =
            expected == found
            ? .same(version)
            : .different(
                JobFailure(
                    kind: .task, code: "replay-differs",
                    message: "The replay did not lead to version \(version) again: it has the digest "
                        + "\(found.text.prefix(12)), not \(expected.text.prefix(12))."))
    }
}
