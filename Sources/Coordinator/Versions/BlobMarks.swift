import Domain

/// A set of digests in little memory: a large installation refers to millions of blobs.
struct BlobMarks: Sendable {
    /// The 32 bytes of a digest.
    private struct Key: Hashable {
        let first, second, third, fourth: UInt64

        init(_ digest: ContentDigest) {
            var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
            for (place, byte) in digest.bytes.enumerated() {
                switch place / 8 {
                case 0: words.0 = words.0 << 8 | UInt64(byte)
                case 1: words.1 = words.1 << 8 | UInt64(byte)
                case 2: words.2 = words.2 << 8 | UInt64(byte)
                default: words.3 = words.3 << 8 | UInt64(byte)
                }
            }
            (first, second, third, fourth) = words
        }

        var digest: ContentDigest {
            var bytes: [UInt8] = []
            for word in [first, second, third, fourth] {
                for shift in stride(from: 56, through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> shift))
                }
            }
            return ContentDigest(bytes: bytes)!
        }
    }

    private var keys: Set<Key> = []

    var count: Int { keys.count }
    var digests: some Sequence<ContentDigest> { keys.lazy.map(\.digest) }

    /// Returns whether it was new.
    @discardableResult
    mutating func insert(_ digest: ContentDigest) -> Bool { keys.insert(Key(digest)).inserted }

    mutating func remove(_ digest: ContentDigest) { keys.remove(Key(digest)) }

    func contains(_ digest: ContentDigest) -> Bool { keys.contains(Key(digest)) }
}
