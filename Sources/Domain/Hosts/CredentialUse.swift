/// Which running programs opened sessions with one host's credential of late.
///
/// A program that was superseded by another one and comes back is alive beside it. One such return can be a late frame
/// of a program that has ended; two within a quarter of an hour are two machines with one identity.
package struct CredentialUse: Sendable, Equatable {
    package static let window = Duration.seconds(900)
    package static let returnsOfAClone = 2
    private static let memory = 4

    /// The program with the newest session; empty before the first one.
    package private(set) var current = ""
    /// Programs that were superseded, the latest last.
    package private(set) var superseded: [String] = []
    /// When one of those came back.
    package private(set) var returns: [Timestamp] = []

    package init() {}

    /// Notes a new session. `instance` is chosen by each program when it starts; an empty one says nothing. Returns
    /// whether the credential is in the hands of two programs.
    package mutating func opened(by instance: String, at now: Timestamp) -> Bool {
        let instance = Self.cleaned(instance)
        guard !instance.isEmpty, instance != current else { return false }
        let isReturn = superseded.contains(instance)
        superseded.removeAll { $0 == instance }
        if !current.isEmpty { superseded = Array((superseded + [current]).suffix(Self.memory)) }
        current = instance
        returns.removeAll { now - $0 > Self.window }
        if isReturn { returns = Array((returns + [now]).suffix(Self.memory)) }
        return returns.count >= Self.returnsOfAClone
    }

    /// Letters, digits and hyphens, 64 of them at most: it is kept as text.
    private static func cleaned(_ instance: String) -> String {
        String(
            decoding: instance.utf8.filter {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
            }.prefix(64), as: UTF8.self)
    }

    /// `current;superseded,superseded;milliseconds,milliseconds`, as it is kept.
    package var text: String {
        "\(current);\(superseded.joined(separator: ","));"
            + returns.map { String($0.millisecondsSinceEpoch) }.joined(separator: ",")
    }

    /// `nil` when the text is not what ``text`` says.
    package init?(_ text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        current = String(parts[0])
        superseded = parts[1].split(separator: ",").map(String.init)
        var returns: [Timestamp] = []
        for part in parts[2].split(separator: ",") {
            guard let value = Int64(part) else { return nil }
            returns.append(Timestamp(millisecondsSinceEpoch: value))
        }
        self.returns = returns
    }
}
