/// What a personal access token may be used for. Its owner may always do more.
package enum AccessScope: String, Sendable, CaseIterable, Comparable {
    /// Look at what its owner sees.
    case read
    /// Change sites: edits, uploads, releases, domains, maintenance.
    case write
    /// What only admins may; worth nothing without the role.
    case admin

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .read: 0
        case .write: 1
        case .admin: 2
        }
    }

    /// Reads the words of a list; a token without a scope would be good for nothing.
    package static func scopes(named words: [String]) throws(ServiceError) -> Set<Self> {
        var scopes: Set<Self> = []
        for word in words {
            guard let scope = Self(rawValue: word) else {
                throw ServiceError(
                    .invalidArgument, "there is no scope \"\(word.prefix(40))\"", field: "scopes", rule: "scope-known",
                    nextStep: "Use one or more of: " + allCases.map(\.rawValue).joined(separator: ", ") + ".")
            }
            scopes.insert(scope)
        }
        guard !scopes.isEmpty else {
            throw ServiceError(
                .invalidArgument, "a token needs a scope", field: "scopes", rule: "scope-known",
                nextStep: "Choose what it may be used for.")
        }
        return scopes
    }
}
