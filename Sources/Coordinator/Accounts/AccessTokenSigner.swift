package import Domain
import JWTKit

/// Makes and checks access tokens: short-lived JWTs (HS256) that say who asks, without a look into the database.
///
/// A token stays good until it expires, also when its session ends before; that is why it is short-lived.
package struct AccessTokenSigner: Sendable {
    package static let lifetime = Duration.seconds(15 * 60)
    /// How many bytes a key has.
    package static let keyLength = 32

    private static let issuer = "pagewright"
    private let keys: JWTKeyCollection

    /// Throws when `key` is shorter than 32 bytes.
    package init(key: [UInt8]) async throws(ServiceError) {
        guard key.count >= Self.keyLength else {
            throw ServiceError(.internalError, "the key for access tokens is shorter than \(Self.keyLength) bytes")
        }
        keys = await JWTKeyCollection().add(hmac: HMACKey(from: key), digestAlgorithm: .sha256)
    }

    package func sign(
        _ principal: Principal, session: SessionID, at now: Timestamp
    ) async throws -> (text: String, expiresAt: Timestamp) {
        let seconds = now.millisecondsSinceEpoch / 1000
        let claims = Claims(
            iss: Self.issuer, sub: principal.user.text, role: principal.role.rawValue, sid: session.text, iat: seconds,
            exp: seconds + Self.lifetime.components.seconds)
        let text = try await keys.sign(claims)
        return (text, Timestamp(millisecondsSinceEpoch: claims.exp * 1000))
    }

    /// Throws `unauthenticated` for everything that ``sign(_:session:at:)`` did not make or that has expired.
    package func verify(_ text: String, at now: Timestamp) async throws(ServiceError) -> AuthenticatedCaller {
        let claims: Claims
        do {
            claims = try await keys.verify(text, as: Claims.self)
        } catch {
            throw Self.refusal("the access token is not valid", rule: "access-token", cause: error)
        }
        guard claims.iss == Self.issuer, let user = UserID(claims.sub), let role = User.Role(rawValue: claims.role)
        else {
            throw Self.refusal("the access token is not valid", rule: "access-token")
        }
        guard now.millisecondsSinceEpoch < claims.exp * 1000 else {
            throw Self.refusal("the access token has expired", rule: "access-token-expired")
        }
        return AuthenticatedCaller(
            principal: Principal(user: user, role: role),
            expiresAt: Timestamp(millisecondsSinceEpoch: claims.exp * 1000))
    }

    private static func refusal(_ message: String, rule: String, cause: (any Error)? = nil) -> ServiceError {
        ServiceError(
            .unauthenticated, message, rule: rule, nextStep: "Refresh the session, or log in again.", cause: cause)
    }

    private struct Claims: JWTPayload {
        let iss: String
        let sub: String
        let role: String
        let sid: String
        let iat: Int64
        let exp: Int64

        /// The clock is ours to read, so times are compared in `AccessTokenSigner.verify`.
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
}
