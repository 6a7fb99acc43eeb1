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
    private static let viewIssuer = "pagewright-view"
    private let keys: JWTKeyCollection
    private let known = VerifiedTokens()

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
        if let caller = known.find(text), now < caller.expiresAt { return caller }
        let claims: Claims
        do {
            claims = try await keys.verify(text, as: Claims.self)
        } catch {
            throw Self.refusal("the access token is not valid", rule: "access-token", cause: error)
        }
        guard claims.iss == Self.issuer, let user = UserID(claims.sub), let role = User.Role(rawValue: claims.role),
            let session = SessionID(claims.sid)
        else {
            throw Self.refusal("the access token is not valid", rule: "access-token")
        }
        guard now.millisecondsSinceEpoch < claims.exp * 1000 else {
            throw Self.refusal("the access token has expired", rule: "access-token-expired")
        }
        let caller = AuthenticatedCaller(
            principal: Principal(user: user, role: role),
            expiresAt: Timestamp(millisecondsSinceEpoch: claims.exp * 1000), session: session)
        known.note(caller, for: text)
        return caller
    }

    package func sign(_ ticket: ViewTicket, at now: Timestamp) async throws -> String {
        let seconds = now.millisecondsSinceEpoch / 1000
        return try await keys.sign(
            ViewClaims(
                iss: Self.viewIssuer, sub: ticket.principal.user.text, role: ticket.principal.role.rawValue,
                site: ticket.site.text, version: ticket.version.rawValue,
                exp: seconds + ViewTicket.lifetime.components.seconds))
    }

    /// Throws `notFound` for everything that ``sign(_:at:)`` did not make or that is too old.
    package func verify(ticket text: String, at now: Timestamp) async throws(ServiceError) -> ViewTicket {
        let refusal = ServiceError(
            .notFound, "this view is over", rule: "view-ticket", nextStep: "Open it again from the studio.")
        guard let claims = try? await keys.verify(text, as: ViewClaims.self), claims.iss == Self.viewIssuer,
            let user = UserID(claims.sub), let role = User.Role(rawValue: claims.role),
            let site = SiteID(claims.site), now.millisecondsSinceEpoch < claims.exp * 1000
        else { throw refusal }
        return ViewTicket(
            principal: Principal(user: user, role: role), site: site, version: try VersionNumber(claims.version))
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

    private struct ViewClaims: JWTPayload {
        let iss: String
        let sub: String
        let role: String
        let site: String
        let version: Int
        let exp: Int64

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }
}
