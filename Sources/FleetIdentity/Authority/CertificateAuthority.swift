import Crypto
package import Domain
import FoundationEssentials
import Glibc
import SwiftASN1
import Synchronization
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
    static let keyName = "ca.key"
    static let certificateName = "ca.pem"
    static let nextKeyName = "next.key"
    static let nextCertificateName = "next.pem"
    /// There from the switch to the end of a rotation.
    static let switchedName = "switched"

    /// One key and its certificate.
    struct Signer: Sendable {
        let certificate: Certificate
        let key: P256.Signing.PrivateKey
        let root: [UInt8]
        let pin: PublicKeyPin
    }

    /// All that is in the folder.
    struct Keys: Sendable {
        var serving: Signer
        var next: Signer?
        var isSwitched = false
    }

    /// What all copies of one authority share, so that a rotation reaches all of them.
    private final class Box: Sendable {
        let keys: Mutex<Keys>
        init(_ keys: Keys) { self.keys = Mutex(keys) }
    }

    package let trustDomain: TrustDomain
    private let folder: DurableFolder
    private let box: Box

    /// The key that the coordinator shows itself with. In a rotation that is the old one until the end: every agent knows
    /// it, also one that was away.
    private var serving: Signer { keys.serving }
    /// The key that signs agents' certificates; the new one from the switch on.
    private var issuing: Signer {
        let keys = keys
        return keys.isSwitched ? keys.next ?? keys.serving : keys.serving
    }

    var keys: Keys { box.keys.withLock { $0 } }

    /// DER; what the coordinator's own certificate is signed by.
    package var root: [UInt8] { serving.root }
    /// DER; what agents trust, and by which they are known: two in a rotation.
    package var trustRoots: [[UInt8]] {
        let keys = keys
        return [keys.serving.root] + (keys.next.map { [$0.root] } ?? [])
    }
    /// What a join token carries, so that a new agent knows the fleet it joins.
    package var pin: PublicKeyPin { serving.pin }
    /// The pin of the key that signs agents' certificates now.
    package var issuerPin: PublicKeyPin { issuing.pin }

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
        let key = try readKey(keyName, from: folder)
        let certificate = try makeRoot(for: key, trustDomain: trustDomain, at: now)
        _ = try folder.add(Array(certificate.serializeAsPEM().pemString.utf8), as: certificateName, mode: 0o644)
        guard let made = try load(from: folder, trustDomain: trustDomain) else {
            throw ServiceError(.internalError, "the fleet's authority vanished from \(directory)")
        }
        return made
    }

    /// Whether `directory` holds an authority, or at least a part of one.
    package static func exists(inDirectory directory: String) throws(ServiceError) -> Bool {
        let folder = DurableFolder(path: directory)
        if try folder.read(keyName) != nil { return true }
        return try folder.read(certificateName) != nil
    }

    private static func load(from folder: DurableFolder, trustDomain: TrustDomain) throws -> CertificateAuthority? {
        guard let keys = try readKeys(from: folder) else { return nil }
        return CertificateAuthority(trustDomain: trustDomain, folder: folder, box: Box(keys))
    }

    private init(trustDomain: TrustDomain, folder: DurableFolder, box: Box) {
        self.trustDomain = trustDomain
        self.folder = folder
        self.box = box
    }

    static func readKeys(from folder: DurableFolder) throws -> Keys? {
        guard try folder.read(certificateName) != nil, try folder.read(keyName) != nil else { return nil }
        let key = try readKey(keyName, from: folder)
        let certificate = try readCertificate(certificateName, from: folder)
        let next = try readNext(from: folder)
        // The end of a rotation was cut off between its two files.
        if let next, next.key.rawRepresentation == key.rawRepresentation { return Keys(serving: next) }
        guard Certificate.PublicKey(key.publicKey) == certificate.publicKey else {
            throw ServiceError(
                .failedPrecondition, "the key and the certificate in \(folder.path) do not belong together",
                nextStep: "Restore both \(keyName) and \(certificateName) from the same backup.")
        }
        return Keys(
            serving: try signer(certificate, key), next: next,
            isSwitched: try next != nil && folder.read(switchedName) != nil)
    }

    private static func readNext(from folder: DurableFolder) throws -> Signer? {
        guard try folder.read(nextCertificateName) != nil, try folder.read(nextKeyName) != nil else { return nil }
        return try signer(
            try readCertificate(nextCertificateName, from: folder), try readKey(nextKeyName, from: folder))
    }

    private static func signer(_ certificate: Certificate, _ key: P256.Signing.PrivateKey) throws -> Signer {
        Signer(
            certificate: certificate, key: key, root: try certificate.derBytes(),
            pin: try PublicKeyPin(of: certificate.publicKey))
    }

    private static func readCertificate(_ name: String, from folder: DurableFolder) throws -> Certificate {
        do {
            return try Certificate(pemEncoded: String(decoding: try folder.read(name) ?? [], as: UTF8.self))
        } catch {
            throw ServiceError(
                .failedPrecondition, "the fleet's authority in \(folder.path) cannot be read",
                nextStep: "Restore \(name) from a backup.", cause: error)
        }
    }

    private static func readKey(_ name: String, from folder: DurableFolder) throws -> P256.Signing.PrivateKey {
        do {
            return try P256.Signing.PrivateKey(
                pemRepresentation: String(decoding: try folder.read(name) ?? [], as: UTF8.self))
        } catch {
            throw ServiceError(
                .failedPrecondition, "the key of the fleet's authority in \(folder.path) cannot be read",
                nextStep: "Restore \(name) from a backup.", cause: error)
        }
    }

    /// Reads the folder again, because another program may have rotated it. Returns whether anything is new.
    @discardableResult
    package func reload() throws -> Bool {
        guard let keys = try Self.readKeys(from: folder) else {
            throw ServiceError(
                .failedPrecondition, "the fleet's authority vanished from \(folder.path)",
                nextStep: "Restore it from a backup.")
        }
        return box.keys.withLock { known in
            let isNew =
                known.serving.pin != keys.serving.pin || known.next?.pin != keys.next?.pin
                || known.isSwitched != keys.isSwitched
            known = keys
            return isNew
        }
    }

    /// Makes the next key: from now on agents learn to trust both. Harmless when it was done.
    package func prepareRotation(at now: Timestamp) throws {
        try finishCutOffRetirement()
        if keys.next == nil {
            let key = P256.Signing.PrivateKey()
            let certificate = try Self.makeRoot(for: key, trustDomain: trustDomain, at: now)
            // What is there without the other half was cut off, and nobody has seen it.
            try folder.remove(Self.switchedName)
            try folder.write(Array(key.pemRepresentation.utf8), to: Self.nextKeyName)
            try folder.write(
                Array(certificate.serializeAsPEM().pemString.utf8), to: Self.nextCertificateName, mode: 0o644)
        }
        try reload()
    }

    /// Signs agents' certificates with the next key from now on. Harmless when it was done.
    package func switchRotation() throws {
        guard keys.next != nil else { throw Self.notPrepared }
        try folder.write([], to: Self.switchedName)
        try reload()
    }

    /// Forgets the old key: only the new one counts, for agents and for the coordinator. Its certificate stays for the
    /// record. Safe to be cut off at any point and to be repeated.
    package func retireRotation() throws {
        if try finishCutOffRetirement() { return }
        let before = keys
        guard before.isSwitched, let next = before.next else { throw Self.notPrepared }
        try folder.write(
            Array(before.serving.certificate.serializeAsPEM().pemString.utf8),
            to: "retired-\(before.serving.pin.text.prefix(12)).pem", mode: 0o644)
        try folder.write(Array(next.key.pemRepresentation.utf8), to: Self.keyName)
        try folder.write(
            Array(next.certificate.serializeAsPEM().pemString.utf8), to: Self.certificateName, mode: 0o644)
        try folder.remove(Self.switchedName)
        try folder.remove(Self.nextCertificateName)
        try folder.remove(Self.nextKeyName)
        try reload()
    }

    @discardableResult
    private func finishCutOffRetirement() throws -> Bool {
        guard let next = try Self.readNext(from: folder),
            try Self.readKey(Self.keyName, from: folder).rawRepresentation == next.key.rawRepresentation
        else { return false }
        try folder.write(
            Array(next.certificate.serializeAsPEM().pemString.utf8), to: Self.certificateName, mode: 0o644)
        try folder.remove(Self.switchedName)
        try folder.remove(Self.nextCertificateName)
        try folder.remove(Self.nextKeyName)
        try reload()
        return true
    }

    private static var notPrepared: ServiceError {
        ServiceError(
            .failedPrecondition, "no rotation of the authority is under way that far", rule: "rotation-order",
            nextStep: "The steps are prepare, switch, retire; see pagewright-coordinator ca rotate status.")
    }

    /// How far a rotation is.
    package var rotation: AuthorityRotation {
        let keys = keys
        return AuthorityRotation(
            step: keys.next == nil ? .none : keys.isSwitched ? .switched : .prepared, current: keys.serving.pin,
            next: keys.next?.pin)
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
        let signer = serving
        let certificate = try issue(
            for: .init(serverKey.publicKey), commonName: Self.coordinatorName, alternatives: alternatives,
            usage: .serverAuth, validity: validity, at: now, by: signer)
        // The root goes along: a host that joins knows only its pin.
        let withRoot = IssuedCertificate(
            chain: certificate.chain + [signer.root], serial: certificate.serial, notBefore: certificate.notBefore,
            notAfter: certificate.notAfter)
        return ServerCredential(certificate: withRoot, privateKeyPEM: serverKey.pemRepresentation)
    }

    /// A certificate that says "this key is `host`". The request (PKCS #10, DER) must be signed by the key in it; names,
    /// extensions and everything else that it asks for are ignored.
    ///
    /// A machine that joins knows the authority that its token names and gets its certificate from that one
    /// (`isJoining`); it is replaced as soon as there is a newer authority.
    package func issueAgentCertificate(
        for host: HostID, signingRequest: [UInt8], validity: Duration = Self.agentLifetime, isJoining: Bool = false,
        at now: Timestamp
    ) throws -> IssuedCertificate {
        let signer = isJoining ? serving : issuing
        var issued = try issue(
            for: Self.publicKey(ofSigningRequest: signingRequest), commonName: host.text,
            alternatives: [.uniformResourceIdentifier(trustDomain.address(of: host))], usage: .clientAuth,
            validity: validity, at: now, by: signer)
        issued.issuer = signer.pin.text
        return issued
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
        usage: ExtendedKeyUsage.Usage, validity: Duration, at now: Timestamp, by signer: Signer
    ) throws -> IssuedCertificate {
        let certificate = signer.certificate
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
            }, issuerPrivateKey: .init(signer.key))
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
