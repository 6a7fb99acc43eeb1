import Domain

extension JobView {
    /// Whether the checks refused what it did, and no version was made of it yet.
    package var isRefused: Bool {
        guard let review, review.version == nil, case .failed = job.state else { return false }
        return findings.contains { $0.severity == .error }
    }

    /// Whether its owner may accept, for once, what the checks found in it: the checks refused it, a version may have all
    /// of what they found, and none was made of it yet.
    package var isAcceptable: Bool {
        isRefused && findings.allSatisfy { $0.severity == .warning || ContentChecker.isAcceptable($0) }
    }
}
