import Crypto
package import Domain
package import NIOCore

/// Makes the name of a content that arrives in pieces.
package struct ContentHasher: Sendable {
    private var hash = SHA256()
    /// How much it has seen.
    package private(set) var sizeInBytes: Int64 = 0

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
        sizeInBytes += Int64(bytes.count)
    }

    package mutating func update(_ piece: ByteBuffer) {
        piece.withUnsafeReadableBytes { update($0) }
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The name of all that was given so far.
    package func finish() -> ContentDigest {
        ContentDigest(bytes: Array(hash.finalize()))!
    }
}

extension ContentDigest {
    /// The name of `bytes`.
    package init(hashing bytes: some Sequence<UInt8>) {
        var hasher = ContentHasher()
        if bytes.withContiguousStorageIfAvailable({ hasher.update(UnsafeRawBufferPointer($0)) }) == nil {
            hasher.update(Array(bytes))
        }
        self = hasher.finish()
    }

    /// The name of the UTF-8 of `text`.
    package init(hashing text: String) {
        self.init(hashing: text.utf8)
    }
}
