package import Domain
import FoundationEssentials
@_spi(FixedExpiryValidationTime) package import X509

/// Checks certificates against the fleet's authority, in a TLS handshake or afterwards.
package struct FleetTrust: Sendable {
    package let trustDomain: TrustDomain
    private let roots: CertificateStore

    /// `roots` are DER.
    package init(roots: [[UInt8]], trustDomain: TrustDomain = .standard) throws(ServiceError) {
        var certificates: [Certificate] = []
        for root in roots { certificates.append(try Certificate(der: root, field: "trust_roots")) }
        guard !certificates.isEmpty else {
            throw ServiceError(.invalidArgument, "there is no trust root", field: "trust_roots")
        }
        self.roots = CertificateStore(certificates)
        self.trustDomain = trustDomain
    }

    /// Whether this is the coordinator: signed by the fleet's authority, for servers, by the name that agents ask for.
    /// Returns the chain, leaf first.
    package func verifyCoordinator(_ presented: [[UInt8]], at now: Timestamp) async throws(ServiceError)
        -> [Certificate]
    {
        let chain = try await verify(presented, at: now)
        guard chain[0].allows(.serverAuth), chain[0].dnsNames.contains(CertificateAuthority.coordinatorName) else {
            throw ServiceError(
                .unauthenticated, "the certificate is not one of a coordinator", rule: "certificate-purpose")
        }
        return chain
    }

    /// Trusts the authority that a join token names: the certificate with that key must be among `presented`.
    package init(pin: PublicKeyPin, presented: [[UInt8]], trustDomain: TrustDomain = .standard) throws(ServiceError) {
        for bytes in presented.prefix(8) {
            let certificate = try Certificate(der: bytes, field: "certificate")
            if (try? PublicKeyPin(of: certificate.publicKey)) == pin {
                try self.init(roots: [bytes], trustDomain: trustDomain)
                return
            }
        }
        throw ServiceError(
            .unauthenticated, "the coordinator is not the one that made the join token", rule: "certificate-pin",
            nextStep: "Check the address of the coordinator, or make a new token with: pagewright host invite.")
    }

    /// Whether this is an agent of the fleet. One that expired no longer than `grace` ago is accepted too: the caller
    /// lets it renew, and nothing else.
    package func verifyAgent(
        _ presented: [[UInt8]], at now: Timestamp, grace: Duration = .zero
    ) async throws(ServiceError) -> (identity: AgentCertificate, chain: [Certificate]) {
        guard let first = presented.first else {
            throw ServiceError(.unauthenticated, "there is no certificate", rule: "certificate-missing")
        }
        let identity = try AgentCertificate(der: first, trustDomain: trustDomain)
        let isWithinGrace = now > identity.notAfter && now - identity.notAfter <= grace
        return (identity, try await verify(presented, at: isWithinGrace ? identity.notAfter : now))
    }

    private func verify(_ presented: [[UInt8]], at now: Timestamp) async throws(ServiceError) -> [Certificate] {
        guard (1...8).contains(presented.count) else {
            throw ServiceError(
                .unauthenticated, "there are \(presented.count) certificates where 1 to 8 are expected",
                rule: "certificate-chain")
        }
        var certificates: [Certificate] = []
        for certificate in presented { certificates.append(try Certificate(der: certificate, field: "certificate")) }
        var verifier = Verifier(rootCertificates: roots) { RFC5280Policy(fixedExpiryValidationTime: Date(now)) }
        let result = await verifier.validate(
            leaf: certificates[0], intermediates: CertificateStore(certificates.dropFirst()))
        switch result {
        case .validCertificate(let chain): return Array(chain)
        case .couldNotValidate(let failures):
            let begins = Timestamp(certificates[0].notValidBefore)
            guard now >= begins else {
                throw ServiceError(
                    .unauthenticated, "the certificate begins at \(begins), and the clock here says \(now)",
                    rule: "certificate-early",
                    nextStep: "Set the clock of this machine, best with a time service such as chrony.")
            }
            let isExpired = now > Timestamp(certificates[0].notValidAfter)
            throw ServiceError(
                .unauthenticated,
                isExpired ? "the certificate expired" : "the certificate is not one of this fleet",
                rule: isExpired ? "certificate-expired" : "certificate-chain",
                cause: failures.first.map { ChainRefused(reason: "\($0.policyFailureReason)") })
        }
    }

    /// Why the verifier refused, for the log.
    private struct ChainRefused: Error, CustomStringConvertible {
        let reason: String
        var description: String { reason }
    }
}

extension Certificate {
    /// Whether the extended key usage is there and has `usage`; "any" is not enough.
    func allows(_ usage: ExtendedKeyUsage.Usage) -> Bool {
        guard let usages = try? extensions.extendedKeyUsage else { return false }
        return usages.contains(usage)
    }

    var dnsNames: [String] {
        guard let names = try? extensions.subjectAlternativeNames else { return [] }
        return names.compactMap { if case .dnsName(let name) = $0 { name } else { nil } }
    }
}
