package import Domain
import FoundationEssentials
import SwiftASN1
package import X509

extension Certificate {
    /// From DER that came from outside; says in `field` which bytes were wrong.
    package init(der bytes: [UInt8], field: String) throws(ServiceError) {
        do {
            try self.init(derEncoded: bytes)
        } catch {
            throw ServiceError(
                .invalidArgument, "the \(field) is not a certificate", field: field, rule: "certificate-format",
                cause: error)
        }
    }

    package func derBytes() throws(ServiceError) -> [UInt8] {
        do {
            var serializer = DER.Serializer()
            try serializer.serialize(self)
            return serializer.serializedBytes
        } catch {
            throw ServiceError(.internalError, "cannot encode a certificate", cause: error)
        }
    }

    /// The serial number as lower-case hexadecimal text, two digits a byte.
    package var serialText: String { Hexadecimal.text(of: serialNumber.bytes) }
}

extension Date {
    init(_ timestamp: Timestamp) {
        self.init(timeIntervalSince1970: Double(timestamp.millisecondsSinceEpoch) / 1000)
    }
}

extension Timestamp {
    /// Certificates count in whole seconds.
    init(_ date: Date) {
        self.init(millisecondsSinceEpoch: Int64(date.timeIntervalSince1970.rounded(.down)) * 1000)
    }
}
