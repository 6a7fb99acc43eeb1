/// A version of the agent that a host is to run. The same order is given again until it is carried out or refused.
package struct UpgradeOrder: Sendable, Hashable {
    /// Names the order; a host does not carry out the same one twice.
    package let id: String
    package let version: ProgramVersionText

    package init(id: String, version: ProgramVersionText) {
        self.id = id
        self.version = version
    }
}

/// What became of an order, as the host says it.
package struct UpgradeReport: Sendable, Hashable {
    package enum Outcome: String, Sendable, CaseIterable {
        /// The command runs.
        case begun
        /// The version runs.
        case done
        /// The command failed, or the version did not come up; the host went back by itself.
        case reverted
        /// Nothing was done: the host has no command for it, or it failed both ways.
        case failed
    }

    package let order: String
    package let outcome: Outcome
    /// A sentence for a person; may be empty.
    package let detail: String

    package init(order: String, outcome: Outcome, detail: String = "") {
        self.order = order
        self.outcome = outcome
        self.detail = detail
    }
}

/// The version of a program as packages write it, such as `1.4.0` or `1:1.4.0-1~deb12`.
package struct ProgramVersionText: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// It becomes an argument of a command on every host, so it begins with a digit and has nothing that a shell knows.
    package init(_ text: String) throws(ServiceError) {
        guard (1...40).contains(text.utf8.count), let first = text.utf8.first, (0x30...0x39).contains(first),
            text.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || [0x2b, 0x2d, 0x2e, 0x3a, 0x7e].contains($0)
            })
        else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(60))\" is no version", field: "version", rule: "version-format",
                nextStep: "Write it as packages do, such as 1.4.0 or 1.4.0-1.")
        }
        self.text = text
    }

    package var description: String { text }
}
