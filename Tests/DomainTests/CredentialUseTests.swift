import Domain
import Testing

/// Two programs with one certificate.
@Suite struct CredentialUseTests {
    private static let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)

    /// Whether a sequence of sessions, a second apart, ends with a clone.
    private static func isClone(_ instances: String, every gap: Duration = .seconds(1)) -> Bool {
        var use = CredentialUse()
        var now = start
        var isClone = false
        for instance in instances {
            isClone = use.opened(by: String(instance), at: now)
            now = now + gap
        }
        return isClone
    }

    @Test(
        "One program that reconnects, and one that is started again and again, are no clones",
        arguments: ["aaaaaa", "abcdef", "aabbccd"])
    func honest(instances: String) { #expect(!Self.isClone(instances)) }

    @Test("One late frame of a program that has ended is no clone", arguments: ["aba", "abca", "aabcb"])
    func late(instances: String) { #expect(!Self.isClone(instances)) }

    @Test("Two that supersede each other are", arguments: ["abab", "abcabc", "abacab"])
    func clones(instances: String) { #expect(Self.isClone(instances)) }

    @Test("Not when it takes hours between one and the other")
    func slowly() { #expect(!Self.isClone("abab", every: .seconds(1000))) }

    @Test("A program that does not say who it is is never taken for another")
    func silent() {
        var use = CredentialUse()
        for _ in 0..<10 {
            let isClone = use.opened(by: "", at: Self.start)
            #expect(!isClone)
        }
    }

    @Test("What is known reads back from its text, whatever a program calls itself")
    func text() throws {
        var use = CredentialUse()
        for instance in ["a;b,c", "x", "abc", "x"] { _ = use.opened(by: instance, at: Self.start) }
        #expect(CredentialUse(use.text) == use)
        #expect(CredentialUse("nonsense") == nil)
    }
}
