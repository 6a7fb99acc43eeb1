package import Domain
package import X509

/// Who an agent is, as its certificate says. Whether the certificate may be believed is for ``FleetTrust`` or TLS.
package struct AgentCertificate: Sendable, Equatable {
    package let host: HostID
    /// Lower-case hexadecimal, two digits a byte.
    package let serial: String
    package let notBefore: Timestamp
    package let notAfter: Timestamp

    /// Refuses certificates that are not for clients, of another trust domain, or with more names than the one.
    package init(_ certificate: Certificate, trustDomain: TrustDomain = .standard) throws(ServiceError) {
        func refuse(_ why: String, _ rule: String) -> ServiceError {
            ServiceError(
                .unauthenticated, "the certificate \(why)", rule: rule,
                nextStep: "Invite the host again with: pagewright host invite.")
        }
        guard certificate.allows(.clientAuth) else { throw refuse("is not one of an agent", "certificate-purpose") }
        if let constraints = try? certificate.extensions.basicConstraints,
            constraints != .notCertificateAuthority
        {
            throw refuse("is one of an authority", "certificate-purpose")
        }
        guard let names = try? certificate.extensions.subjectAlternativeNames, names.count == 1,
            let name = names.first, case .uniformResourceIdentifier(let address) = name
        else { throw refuse("does not name exactly one agent", "certificate-name") }
        guard let host = trustDomain.host(at: address) else {
            throw refuse("is not one of the fleet \(trustDomain)", "certificate-name")
        }
        self.host = host
        serial = certificate.serialText
        notBefore = Timestamp(certificate.notValidBefore)
        notAfter = Timestamp(certificate.notValidAfter)
    }

    package init(der bytes: [UInt8], trustDomain: TrustDomain = .standard) throws(ServiceError) {
        try self.init(Certificate(der: bytes, field: "certificate"), trustDomain: trustDomain)
    }
}
