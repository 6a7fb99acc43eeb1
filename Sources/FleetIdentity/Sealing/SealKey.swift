import Crypto
import Domain
import FoundationEssentials
import Synchronization

/// The random key of one backup, together with itself sealed by the passphrase: whatever is sealed with it carries it.
package struct SealKey: Sendable {
    static let statement = Array("pagewright key scrypt 32768 8 1".utf8)

    let salt: [UInt8]
    /// Nonce, cipher text and tag.
    let sealed: [UInt8]
    let key: SymmetricKey

    /// A new one. Blocks.
    package init(passphrase: Passphrase) throws {
        salt = Self.randomBytes(32)
        key = SymmetricKey(size: .bits256)
        let box = try AES.GCM.seal(
            key.withUnsafeBytes { Array($0) }, using: try passphrase.key(salt: salt), authenticating: Self.statement)
        guard let combined = box.combined else { throw ServiceError(.internalError, "a key cannot be sealed") }
        sealed = Array(combined)
    }

    fileprivate init(salt: [UInt8], sealed: [UInt8], passphrase: Passphrase) throws(ServiceError) {
        self.salt = salt
        self.sealed = sealed
        do {
            let opened = try AES.GCM.open(
                AES.GCM.SealedBox(combined: sealed), using: try passphrase.key(salt: salt),
                authenticating: Self.statement)
            key = SymmetricKey(data: opened)
        } catch {
            throw ServiceError(
                .unauthenticated, "the passphrase does not open this", field: "passphrase", rule: "passphrase-wrong",
                nextStep: "Use the passphrase that was in force when it was made; a damaged beginning looks the same.",
                cause: error)
        }
    }

    /// The key for one file: no two files share one, so counting is enough for their nonces.
    func fileKey(_ file: [UInt8], purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: file, info: Array("pagewright \(purpose)".utf8), outputByteCount: 32)
    }

    static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// Opens what was sealed with one passphrase; remembers keys, because finding one is slow on purpose.
package final class SealKeyRing: Sendable {
    private let passphrase: Passphrase
    private let known = Mutex<[[UInt8]: SealKey]>([:])

    package init(passphrase: Passphrase) {
        self.passphrase = passphrase
    }

    func key(salt: [UInt8], sealed: [UInt8]) throws(ServiceError) -> SealKey {
        if let key = known.withLock({ $0[salt] }), key.sealed == sealed { return key }
        let key = try SealKey(salt: salt, sealed: sealed, passphrase: passphrase)
        known.withLock { $0[salt] = key }
        return key
    }
}
