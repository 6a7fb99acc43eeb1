import Crypto
import Domain
import SwiftASN1
package import X509

/// The SHA-256 of a certificate's SubjectPublicKeyInfo (DER): names a key whatever certificate carries it.
package struct PublicKeyPin: Sendable, Hashable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let text: String

    package init?(_ text: String) {
        guard text.utf8.count == 64, Hexadecimal.bytes(of: text) != nil else { return nil }
        self.text = text
    }

    package init(of key: Certificate.PublicKey) throws {
        var serializer = DER.Serializer()
        try serializer.serialize(key)
        text = Hexadecimal.text(of: SHA256.hash(data: serializer.serializedBytes))
    }

    package var description: String { text }
}
