package import Domain

/// The name of one fleet. Every agent's certificate carries `spiffe://<trust domain>/agent/<host>` and no other name.
package struct TrustDomain: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package static let standard = TrustDomain(unchecked: "pagewright.internal")

    package init(_ text: String) throws(ServiceError) {
        guard (1...253).contains(text.utf8.count),
            text.utf8.allSatisfy({
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e
            })
        else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(64))\" cannot be a trust domain: use a-z, 0-9, dots and hyphens",
                field: "trust_domain", rule: "trust-domain-format")
        }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    /// The URI in the certificate of `host`.
    package func address(of host: HostID) -> String { agentPrefix + host.text }

    /// The host that a URI names; `nil` for other trust domains and for everything else.
    package func host(at address: String) -> HostID? {
        guard address.hasPrefix(agentPrefix) else { return nil }
        return HostID(String(address.dropFirst(agentPrefix.count)))
    }

    private var agentPrefix: String { "spiffe://\(text)/agent/" }

    package var description: String { text }
}
