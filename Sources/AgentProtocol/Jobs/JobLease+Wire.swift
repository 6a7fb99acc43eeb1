package import Domain
import SwiftProtobuf

extension JobLease {
    package init(wire: Pagewright_Agent_V1_Lease) throws(ServiceError) {
        try self.init(job: wire.jobID, attempt: wire.attempt, token: wire.token, fence: wire.fence)
    }

    package init(wire: Pagewright_Agent_V1_LeaseReference) throws(ServiceError) {
        try self.init(job: wire.jobID, attempt: wire.attempt, token: wire.token, fence: wire.fence)
    }

    private init(job: String, attempt: Int64, token: String, fence: Int64) throws(ServiceError) {
        guard let token = LeaseToken(token) else { throw Field.refuse("lease.token", "is not 32 hexadecimal digits") }
        _ = try Field.integer(fence, "lease.fence")
        self.init(
            job: try Field.identifier(job, "lease.job_id"),
            attempt: try Field.integer(attempt, "lease.attempt", in: 1...Int64(Int32.max)), token: token,
            fence: Fence(rawValue: fence))
    }

    /// At most `limit` leases.
    static func list(
        wire: [Pagewright_Agent_V1_Lease], field: String, atMost limit: Int = 10_000
    ) throws(ServiceError) -> [JobLease] {
        try Field.count(wire, field, atMost: limit)
        var leases: [JobLease] = []
        for lease in wire { leases.append(try JobLease(wire: lease)) }
        return leases
    }

    package var wire: Pagewright_Agent_V1_Lease {
        .with {
            $0.jobID = job.text
            $0.attempt = Int64(attempt)
            $0.token = token.text
            $0.fence = fence.rawValue
        }
    }

    package var wireReference: Pagewright_Agent_V1_LeaseReference {
        .with {
            $0.jobID = job.text
            $0.attempt = Int64(attempt)
            $0.token = token.text
            $0.fence = fence.rawValue
        }
    }
}
