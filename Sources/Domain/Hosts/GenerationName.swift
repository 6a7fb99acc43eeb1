/// The name of a generation's folder, `g00000042-0123456789ab`: the number, and what the state is. Because the number
/// is in the name that the atomic rename switches, it can never disagree with what is served.
package struct GenerationName: Sendable, Hashable, CustomStringConvertible {
    package let generation: Int64
    /// The first 12 digits of the SHA-256 of the state's canonical text.
    package let abbreviatedDigest: String

    package init(generation: Int64, digest: ContentDigest) {
        self.generation = generation
        abbreviatedDigest = digest.abbreviated
    }

    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].first == "g", parts[0].utf8.count >= 9,
            let generation = Int64(parts[0].dropFirst()), generation >= 0, parts[1].utf8.count == 12,
            parts[1].utf8.allSatisfy({ Hexadecimal.value(of: $0) != nil })
        else { return nil }
        self.generation = generation
        abbreviatedDigest = String(parts[1])
        guard description == text else { return nil }
    }

    package var description: String {
        let digits = String(generation)
        return "g" + String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits + "-" + abbreviatedDigest
    }
}
