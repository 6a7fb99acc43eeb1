package import Domain
import FoundationEssentials
import SwiftProtobuf

/// The answer to `Enrol` and `Renew`: a certificate, and what goes with it.
package struct CertificateReply: Sendable, Equatable {
    package let host: HostID
    /// DER, leaf first.
    package let certificateChain: [[UInt8]]
    /// DER; what the agent trusts from now on.
    package let trustRoots: [[UInt8]]
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    package let roles: Set<HostRole>

    package init(
        host: HostID, certificateChain: [[UInt8]], trustRoots: [[UInt8]], notBefore: Timestamp, notAfter: Timestamp,
        roles: Set<HostRole>
    ) {
        self.host = host
        self.certificateChain = certificateChain
        self.trustRoots = trustRoots
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.roles = roles
    }

    package init(wire: Pagewright_Agent_V1_CertificateResponse) throws(ServiceError) {
        func certificates(_ list: [Data], _ field: String) throws(ServiceError) -> [[UInt8]] {
            try Field.count(list, field, atMost: 16)
            guard !list.isEmpty else { throw Field.refuse(field, "is missing", rule: "field-missing") }
            guard list.allSatisfy({ (1...65_536).contains($0.count) }) else {
                throw Field.refuse(field, "has a certificate of an impossible size", rule: "field-length")
            }
            return list.map { Array($0) }
        }
        try Field.count(wire.roles, "roles", atMost: 16)
        var roles: Set<HostRole> = []
        for role in wire.roles { roles.insert(try Field.choice(role, "roles")) }
        guard wire.notAfterMs > wire.notBeforeMs else {
            throw Field.refuse("not_after_ms", "is not after not_before_ms")
        }
        self.init(
            host: try Field.identifier(wire.hostID, "host_id"),
            certificateChain: try certificates(wire.certificateChain, "certificate_chain"),
            trustRoots: try certificates(wire.trustRoots, "trust_roots"),
            notBefore: Timestamp(millisecondsSinceEpoch: wire.notBeforeMs),
            notAfter: Timestamp(millisecondsSinceEpoch: wire.notAfterMs), roles: roles)
    }

    package var wire: Pagewright_Agent_V1_CertificateResponse {
        .with {
            $0.hostID = host.text
            $0.certificateChain = certificateChain.map { Data($0) }
            $0.trustRoots = trustRoots.map { Data($0) }
            $0.notBeforeMs = notBefore.millisecondsSinceEpoch
            $0.notAfterMs = notAfter.millisecondsSinceEpoch
            $0.roles = roles.map(\.rawValue).sorted()
        }
    }
}
