/// Everything that happened in a run, as one number (FNV-1a, 64 bits), and in words when somebody reads along.
package struct Trace: Sendable {
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    package private(set) var lines: [String] = []
    let isVerbose: Bool

    mutating func note(_ kind: Int, _ numbers: Int64..., words: @autoclosure () -> String) {
        mix(UInt64(truncatingIfNeeded: kind))
        for number in numbers { mix(UInt64(bitPattern: number)) }
        if isVerbose { lines.append(words()) }
    }

    private mutating func mix(_ value: UInt64) {
        hash = (hash ^ value) &* 0x0000_0100_0000_01b3
        hash ^= hash >> 29
    }
}
