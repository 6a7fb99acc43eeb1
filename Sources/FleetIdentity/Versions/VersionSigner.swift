import Crypto
package import Domain
import FoundationEssentials

/// The coordinator's key for versions: a serving host serves only what it signed.
package struct VersionSigner: Sendable {
    private static let keyName = "version.key"
    private let key: Curve25519.Signing.PrivateKey

    /// Loads the key from `directory`, or makes one there. Several programs may do so at once: they get the same one.
    ///
    /// This blocks; a program that serves does it on a `BlockingPool`.
    package static func loadOrCreate(inDirectory directory: String) throws -> VersionSigner {
        let folder = DurableFolder(path: directory)
        try folder.create()
        if try folder.read(keyName) == nil {
            let text = Hexadecimal.text(of: Curve25519.Signing.PrivateKey().rawRepresentation) + "\n"
            _ = try folder.add(Array(text.utf8), as: keyName)
        }
        let text = String(decoding: try folder.read(keyName) ?? [], as: UTF8.self)
        do {
            let bytes = Hexadecimal.bytes(of: text.prefix { $0 != "\n" }) ?? []
            return VersionSigner(key: try Curve25519.Signing.PrivateKey(rawRepresentation: bytes))
        } catch {
            throw ServiceError(
                .failedPrecondition, "the key for versions in \(directory) cannot be read",
                nextStep: "Restore \(keyName) from a backup.", cause: error)
        }
    }

    private init(key: Curve25519.Signing.PrivateKey) {
        self.key = key
    }

    /// 32 bytes; what hosts get in the Welcome.
    package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// Signs a `Version.statement`; 64 bytes.
    package func sign(_ statement: String) throws(ServiceError) -> [UInt8] {
        do {
            return Array(try key.signature(for: Array(statement.utf8)))
        } catch {
            throw ServiceError(.internalError, "cannot sign a version", cause: error)
        }
    }

    /// Whether one of `keys` signed the statement. Keys that are none are passed over.
    package static func verify(_ statement: String, signature: [UInt8], keys: [[UInt8]]) -> Bool {
        keys.contains { bytes in
            guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
            return key.isValidSignature(signature, for: Array(statement.utf8))
        }
    }
}
