/// A number that the same text always gives, on every machine (FNV-1a).
struct StableHash {
    let value: UInt64

    init(_ text: String) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        value = hash
    }

    /// One of `choices`; `salt` makes independent choices of one text.
    func choice<Value>(_ choices: [Value], salt: UInt64 = 0) -> Value {
        var mixed = value &+ salt &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed ^= mixed >> 31
        return choices[Int(mixed % UInt64(choices.count))]
    }
}
