import Crypto
import Domain
import FoundationEssentials

/// Seals the keys of models with AES-256-GCM, so that the database, its backups and its copies are of no use to a thief.
/// The key that opens them is a file beside the database. A sealed key opens only for the engine that it was sealed for.
package struct KeySealer: Sendable {
    package static let keyLength = 32
    /// The rule of a key that cannot be opened here.
    static let elsewhereRule = "engine-key-sealed-elsewhere"
    private let key: SymmetricKey

    /// - Parameter key: ``keyLength`` random bytes.
    package init(key: [UInt8]) {
        precondition(key.count == Self.keyLength, "the key has 32 bytes")
        self.key = SymmetricKey(data: key)
    }

    /// With a key that nobody else has: what it seals can be opened as long as this process runs.
    package static func ephemeral() -> KeySealer {
        var generator = SystemRandomNumberGenerator()
        return KeySealer(key: (0..<keyLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    func seal(_ secret: String, for engine: EngineName) throws -> String {
        let box = try AES.GCM.seal(Data(secret.utf8), using: key, authenticating: Self.purpose(engine))
        guard let combined = box.combined else { throw ServiceError(.internalError, "a key could not be sealed") }
        return Hexadecimal.text(of: combined)
    }

    /// Throws `failedPrecondition` when it was sealed with another key, for another engine, or was changed.
    func open(_ sealed: String, for engine: EngineName) throws -> String {
        do {
            guard let bytes = Hexadecimal.bytes(of: sealed) else {
                throw ServiceError(.internalError, "it is not hexadecimal")
            }
            let opened = try AES.GCM.open(
                AES.GCM.SealedBox(combined: Data(bytes)), using: key, authenticating: Self.purpose(engine))
            return String(decoding: opened, as: UTF8.self)
        } catch {
            throw ServiceError(
                .failedPrecondition, "the key of the engine \(engine.rawValue) cannot be opened",
                rule: Self.elsewhereRule,
                nextStep: "Set it once more: pagewright engines set \(engine.rawValue) --key-stdin.", cause: error)
        }
    }

    private static func purpose(_ engine: EngineName) -> Data { Data("pagewright engine key \(engine.rawValue)".utf8) }
}
