/// 128 random bits that only the holder of a lease knows, as 32 hexadecimal digits.
package struct LeaseToken: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ Hexadecimal.value(of: $0) != nil }) else { return nil }
        self.text = text
    }

    package init(using generator: inout some RandomNumberGenerator) {
        var bytes: [UInt8] = []
        for _ in 0..<2 {
            let word = UInt64.random(in: .min ... .max, using: &generator)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        text = Hexadecimal.text(of: bytes)
    }

    /// The first eight digits: enough to tell two apart in a log, too few to use.
    package var description: String { String(text.prefix(8)) + "…" }
}
