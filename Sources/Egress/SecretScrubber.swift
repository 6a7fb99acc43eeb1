/// Takes a credential out of a stream of bytes, wherever the pieces are cut. What has its length keeps its length.
struct SecretScrubber {
    private let secret: [UInt8]
    /// For each prefix of the secret, how long its longest proper end is that is a beginning of it.
    private let fallback: [Int]
    private var matched = 0

    /// Shorter ones would be found everywhere.
    static let shortest = 8

    init(_ text: String) {
        let secret = Array(text.utf8)
        self.secret = secret.count >= Self.shortest ? secret : []
        var fallback = [Int](repeating: 0, count: self.secret.count)
        var length = 0
        for index in self.secret.indices.dropFirst() {
            while length > 0 && self.secret[index] != self.secret[length] { length = fallback[length - 1] }
            if self.secret[index] == self.secret[length] { length += 1 }
            fallback[index] = length
        }
        self.fallback = fallback
    }

    /// The bytes that can be handed on now. A possible beginning of the secret at the end is kept back.
    mutating func scrub(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        guard !secret.isEmpty else { return Array(bytes) }
        var clean: [UInt8] = []
        for byte in bytes {
            while matched > 0 && byte != secret[matched] {
                let shorter = fallback[matched - 1]
                clean += secret[..<(matched - shorter)]
                matched = shorter
            }
            if byte == secret[matched] {
                matched += 1
                if matched == secret.count {
                    clean += [UInt8](repeating: UInt8(ascii: "*"), count: matched)
                    matched = 0
                }
            } else {
                clean.append(byte)
            }
        }
        return clean
    }

    /// What was kept back, at the end.
    mutating func finish() -> [UInt8] {
        defer { matched = 0 }
        return Array(secret[..<matched])
    }
}
