package import Domain

/// A certificate that the fleet's authority made for somebody else's key.
package struct IssuedCertificate: Sendable, Equatable {
    /// DER, leaf first.
    package let chain: [[UInt8]]
    /// Lower-case hexadecimal, two digits a byte.
    package let serial: String
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// The pin of the authority's key that signed it; empty when that does not matter.
    package var issuer = ""

    package init(chain: [[UInt8]], serial: String, notBefore: Timestamp, notAfter: Timestamp) {
        self.chain = chain
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

/// A certificate for a server, and the key that it was made for.
package struct ServerCredential: Sendable {
    package let certificate: IssuedCertificate
    /// PKCS #8, PEM.
    package let privateKeyPEM: String

    package init(certificate: IssuedCertificate, privateKeyPEM: String) {
        self.certificate = certificate
        self.privateKeyPEM = privateKeyPEM
    }
}
