package import Domain
import SwiftProtobuf

extension JobOffer {
    /// Reads what ``serialized()`` wrote: an agent that is killed leaves its offers to the next one.
    package init(serialized bytes: [UInt8]) throws(ServiceError) {
        let wire: Pagewright_Agent_V1_Offer
        do {
            wire = try Pagewright_Agent_V1_Offer(serializedBytes: bytes)
        } catch {
            throw Field.refuse("offer", "is not a message", rule: "field-format", cause: error)
        }
        try self.init(wire: wire)
    }

    /// Without the key of a model: what this returns may lie on a disk.
    package func serialized() throws(ServiceError) -> [UInt8] {
        var wire = wire
        if wire.hasModel, !wire.model.authorizationValue.isEmpty {
            wire.model.authorizationValue = ModelEndpoint.withheld
        }
        do {
            return try wire.serializedBytes()
        } catch {
            throw ServiceError(.internalError, "cannot encode the offer of \(lease.job)", cause: error)
        }
    }
}
