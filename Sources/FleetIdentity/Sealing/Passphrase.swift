import Crypto
import CryptoExtras
package import Domain
import FoundationEssentials

/// What opens a backup. Whoever has it and the backup has everything; whoever has lost it has nothing.
package struct Passphrase: Sendable {
    private static let shortest = 12
    static let rounds = 1 << 15
    static let blockSize = 8

    private let bytes: [UInt8]

    /// A line break at the end, as editors put it into files, does not count.
    package init(_ text: String) throws(ServiceError) {
        let trimmed = text.trimmed
        guard trimmed.utf8.count >= Self.shortest else {
            throw ServiceError(
                .invalidArgument, "the passphrase has fewer than \(Self.shortest) bytes", field: "passphrase",
                rule: "passphrase-length",
                nextStep: "Make one with: openssl rand -base64 24 > FILE, and keep a copy somewhere else.")
        }
        bytes = Array(trimmed.utf8)
    }

    /// Takes about a tenth of a second and 32 MiB, on purpose. Blocks.
    func key(salt: [UInt8]) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: bytes, salt: salt, outputByteCount: 32, rounds: Self.rounds, blockSize: Self.blockSize,
            parallelism: 1)
    }
}
