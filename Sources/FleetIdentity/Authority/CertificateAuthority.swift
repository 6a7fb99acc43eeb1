import Crypto
package import Domain
import FoundationEssentials
import Glibc
import SwiftASN1
import X509

/// The fleet's own certificate authority: the one key that says which hosts belong to the fleet.
///
/// It decides every name in a certificate itself; of a signing request it takes the public key and nothing else.
package struct CertificateAuthority: Sendable {
    /// What agents ask for in the handshake, whatever address they dial.
    package static let coordinatorName = "coordinator.pagewright.internal"
    package static let agentLifetime = Duration.seconds(24 * 3600)
    package static let serverLifetime = Duration.seconds(397 * 24 * 3600)
    private static let lifetime = Duration.seconds(3652 * 24 * 3600)
    /// Certificates begin a little in the past, for hosts whose clock is behind.
    private static let leeway = Duration.seconds(3600)
    private static let keyName = "ca.key"
    private static let certificateName = "ca.pem"

    package let trustDomain: TrustDomain
    /// DER; what agents trust.
    package let root: [UInt8]
    /// What a join token carries, so that a new agent knows the fleet it joins.
    package let pin: PublicKeyPin
    private let certificate: Certificate
    private let key: P256.Signing.PrivateKey

    /// Loads the authority from `directory`, or makes one there when there is none. Several programs may do so at once:
    /// they all get the same one. A certificate without its key is refused rather than replaced: agents trust it.
    package static func loadOrCreate(
        inDirectory directory: String, trustDomain: TrustDomain = .standard, at now: Timestamp
    ) throws -> CertificateAuthority {
        let folder = DurableFolder(path: directory)
        try folder.create()
        if let loaded = try load(from: folder, trustDomain: trustDomain) { return loaded }
        if try folder.read(keyName) == nil {
            guard try folder.read(certificateName) == nil else {
                throw ServiceError(
                    .failedPrecondition, "the key of the fleet's authority is missing from \(directory)",
                    nextStep: "Restore \(keyName) from a backup. Without it every host must be invited again.")
            }
            _ = try folder.add(Array(P256.Signing.PrivateKey().pemRepresentation.utf8), as: keyName)
        }
        // Whoever came first made the key; certificates made of it at the same instant are as good as each other.
        let key = try readKey(from: folder)
        let certificate = try makeRoot(for: key, trustDomain: trustDomain, at: now)
        _ = try folder.add(Array(certificate.serializeAsPEM().pemString.utf8), as: certificateName, mode: 0o644)
        guard let made = try load(from: folder, trustDomain: trustDomain) else {
            throw ServiceError(.internalError, "the fleet's authority vanished from \(directory)")
        }
        return made
    }

    private static func load(from folder: DurableFolder, trustDomain: TrustDomain) throws -> CertificateAuthority? {
        guard let pem = try folder.read(certificateName), try folder.read(keyName) != nil else { return nil }
        let certificate: Certificate
        do {
            certificate = try Certificate(pemEncoded: String(decoding: pem, as: UTF8.self))
        } catch {
            throw ServiceError(
                .failedPrecondition, "the fleet's authority in \(folder.path) cannot be read",
                nextStep: "Restore \(certificateName) from a backup.", cause: error)
        }
        let key = try readKey(from: folder)
        guard Certificate.PublicKey(key.publicKey) == certificate.publicKey else {
            throw ServiceError(
                .failedPrecondition, "the key and the certificate in \(folder.path) do not belong together",
                nextStep: "Restore both \(keyName) and \(certificateName) from the same backup.")
        }
        return try CertificateAuthority(certificate: certificate, key: key, trustDomain: trustDomain)
    }

    private static func readKey(from folder: DurableFolder) throws -> P256.Signing.PrivateKey {
        do {
            return try P256.Signing.PrivateKey(
                pemRepresentation: String(decoding: try folder.read(keyName) ?? [], as: UTF8.self))
        } catch {
            throw ServiceError(
                .failedPrecondition, "the key of the fleet's authority in \(folder.path) cannot be read",
                nextStep: "Restore \(keyName) from a backup.", cause: error)
        }
    }

    private init(certificate: Certificate, key: P256.Signing.PrivateKey, trustDomain: TrustDomain) throws {
        self.certificate = certificate
        self.key = key
        self.trustDomain = trustDomain
        root = try certificate.derBytes()
        pin = try PublicKeyPin(of: certificate.publicKey)
    }

    private static func makeRoot(
        for key: P256.Signing.PrivateKey, trustDomain: TrustDomain, at now: Timestamp
    ) throws -> Certificate {
        let name = try DistinguishedName {
            OrganizationName("Pagewright")
            CommonName("Fleet authority of \(trustDomain.text)")
        }
        return try Certificate(
            version: .v3, serialNumber: makeSerial(), publicKey: .init(key.publicKey),
            notValidBefore: Date(backdated(now)), notValidAfter: Date(now + lifetime), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
            }, issuerPrivateKey: .init(key))
    }

    /// A new key and a certificate for the coordinator: ``coordinatorName`` and `names`, which may be IP addresses. The
    /// chain is the leaf and the root; the server must present both, or hosts with a join token cannot know it.
    package func issueServerCertificate(
        names: [String] = [], validity: Duration = Self.serverLifetime, at now: Timestamp
    ) throws -> ServerCredential {
        let serverKey = P256.Signing.PrivateKey()
        let alternatives = ([Self.coordinatorName] + names.filter { $0 != Self.coordinatorName }).map(Self.generalName)
        let certificate = try issue(
            for: .init(serverKey.publicKey), commonName: Self.coordinatorName, alternatives: alternatives,
            usage: .serverAuth, validity: validity, at: now)
        // The root goes along: a host that joins knows only its pin.
        let withRoot = IssuedCertificate(
            chain: certificate.chain + [root], serial: certificate.serial, notBefore: certificate.notBefore,
            notAfter: certificate.notAfter)
        return ServerCredential(certificate: withRoot, privateKeyPEM: serverKey.pemRepresentation)
    }

    /// A certificate that says "this key is `host`". The request (PKCS #10, DER) must be signed by the key in it; names,
    /// extensions and everything else that it asks for are ignored.
    package func issueAgentCertificate(
        for host: HostID, signingRequest: [UInt8], validity: Duration = Self.agentLifetime, at now: Timestamp
    ) throws -> IssuedCertificate {
        try issue(
            for: Self.publicKey(ofSigningRequest: signingRequest), commonName: host.text,
            alternatives: [.uniformResourceIdentifier(trustDomain.address(of: host))], usage: .clientAuth,
            validity: validity, at: now)
    }

    private static func publicKey(ofSigningRequest bytes: [UInt8]) throws(ServiceError) -> Certificate.PublicKey {
        func refuse(_ why: String, _ rule: String, cause: (any Error)? = nil) -> ServiceError {
            ServiceError(
                .invalidArgument, "the signing request \(why)", field: "signing_request", rule: rule, cause: cause)
        }
        guard bytes.count <= 16_384 else { throw refuse("has more than 16 KiB", "signing-request-size") }
        let request: CertificateSigningRequest
        do {
            request = try CertificateSigningRequest(derEncoded: bytes)
        } catch {
            throw refuse("is not PKCS #10 in DER", "signing-request-format", cause: error)
        }
        guard P256.Signing.PublicKey(request.publicKey) != nil else {
            throw refuse("has a key that is not of the curve P-256", "signing-request-key")
        }
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw refuse("is not signed by the key in it", "signing-request-signature")
        }
        return request.publicKey
    }

    private func issue(
        for publicKey: Certificate.PublicKey, commonName: String, alternatives: [GeneralName],
        usage: ExtendedKeyUsage.Usage, validity: Duration, at now: Timestamp
    ) throws -> IssuedCertificate {
        let notBefore = Date(Self.backdated(now))
        let notAfter = min(Date(now + validity), certificate.notValidAfter)
        let serial = Self.makeSerial()
        let leaf = try Certificate(
            version: .v3, serialNumber: serial, publicKey: publicKey, notValidBefore: notBefore,
            notValidAfter: notAfter, issuer: certificate.subject,
            subject: try DistinguishedName {
                OrganizationName("Pagewright")
                CommonName(commonName)
            }, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([usage])
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier)
                SubjectAlternativeNames(alternatives)
            }, issuerPrivateKey: .init(key))
        return IssuedCertificate(
            chain: [try leaf.derBytes()], serial: leaf.serialText, notBefore: Timestamp(notBefore),
            notAfter: Timestamp(notAfter))
    }

    private static func backdated(_ now: Timestamp) -> Timestamp {
        Timestamp(millisecondsSinceEpoch: now.millisecondsSinceEpoch - leeway.wholeMilliseconds)
    }

    /// 16 random bytes, positive and without a leading zero, so that it reads the same in every program.
    private static func makeSerial() -> Certificate.SerialNumber {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        bytes[0] = bytes[0] & 0x3f | 0x40
        return Certificate.SerialNumber(bytes: bytes)
    }

    private static func generalName(_ name: String) -> GeneralName {
        var four = in_addr()
        if inet_pton(AF_INET, name, &four) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &four) { ArraySlice($0) }))
        }
        var six = in6_addr()
        if inet_pton(AF_INET6, name, &six) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &six) { ArraySlice($0) }))
        }
        return .dnsName(name)
    }
}
