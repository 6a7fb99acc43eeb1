import Crypto
package import Domain
import SwiftASN1
import X509

/// The private key of an agent. It never leaves the host; every renewal makes a new one.
package struct AgentKey: Sendable {
    private let key: P256.Signing.PrivateKey

    /// A new key.
    package init() {
        key = P256.Signing.PrivateKey()
    }

    package init(pem: String) throws(ServiceError) {
        do {
            key = try P256.Signing.PrivateKey(pemRepresentation: pem)
        } catch {
            throw ServiceError(.invalidArgument, "the key cannot be read", field: "key", cause: error)
        }
    }

    /// PKCS #8.
    package var pem: String { key.pemRepresentation }

    /// Asks for a certificate for this key: PKCS #10, DER. It names nobody, because the coordinator does.
    package func signingRequest() throws -> [UInt8] {
        let request = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName {}, privateKey: .init(key),
            attributes: CertificateSigningRequest.Attributes())
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }

    /// Whether `certificate` (DER) is for this key.
    package func belongs(to certificate: [UInt8]) -> Bool {
        guard let certificate = try? Certificate(derEncoded: certificate) else { return false }
        return Certificate.PublicKey(key.publicKey) == certificate.publicKey
    }
}
