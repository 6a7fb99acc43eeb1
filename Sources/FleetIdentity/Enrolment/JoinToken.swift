import Crypto
package import Domain

/// What an operator carries to a new host: a secret that works once, and the key of the fleet that it opens.
///
/// As text `pwj1.<secret, base64url>.<pin, 64 hexadecimal digits>`.
package struct JoinToken: Sendable, CustomStringConvertible {
    /// 32 random bytes. Only its hash is stored.
    package struct Secret: Sendable, CustomStringConvertible {
        private let bytes: [UInt8]

        /// A new one, of the system's random numbers.
        package init() {
            var generator = SystemRandomNumberGenerator()
            bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        }

        /// Refuses everything that ``text`` would not write.
        package init(_ text: String) throws(ServiceError) {
            guard text.utf8.count == 43, let bytes = Base64URL.bytes(of: text), bytes.count == 32 else {
                throw JoinToken.malformed("its secret is damaged")
            }
            self.bytes = bytes
        }

        /// Base64url without padding, 43 characters: what travels in an `EnrolRequest`.
        package var text: String { Base64URL.text(of: bytes) }

        /// The SHA-256 as 64 lower-case hexadecimal digits: what the coordinator stores.
        package var digest: String { Hexadecimal.text(of: SHA256.hash(data: bytes)) }

        /// Compares with a stored ``digest`` in a time that does not depend on where they differ.
        package func matches(_ storedDigest: String) -> Bool {
            guard let stored = Hexadecimal.bytes(of: storedDigest), stored.count == 32 else { return false }
            let difference = zip(stored, SHA256.hash(data: bytes)).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
            return difference == 0
        }

        /// Not the secret: it would end up in a log.
        package var description: String { "(secret)" }
    }

    private static let prefix = "pwj1"
    package let secret: Secret
    /// Names the key of the fleet's authority.
    package let pin: PublicKeyPin

    /// A new token for the fleet whose authority has this pin.
    package init(secret: Secret = Secret(), pin: PublicKeyPin) {
        self.secret = secret
        self.pin = pin
    }

    package init(_ text: String) throws(ServiceError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == Self.prefix else {
            throw Self.malformed("it does not look like \(Self.prefix).….…")
        }
        let secret = try Secret(String(parts[1]))
        guard let pin = PublicKeyPin(String(parts[2])) else { throw Self.malformed("its last part is damaged") }
        self.init(secret: secret, pin: pin)
    }

    /// The whole token. Show it once, to the operator.
    package var text: String { "\(Self.prefix).\(secret.text).\(pin.text)" }

    /// Not the token: it would end up in a log.
    package var description: String { "\(Self.prefix).(secret).\(pin)" }

    fileprivate static func malformed(_ why: String) -> ServiceError {
        ServiceError(
            .invalidArgument, "the join token cannot be read: \(why)", field: "token", rule: "token-format",
            nextStep: "Copy the whole token again, or make a new one with: pagewright host invite.")
    }
}
