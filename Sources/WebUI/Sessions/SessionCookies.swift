import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// The cookies of the pages: no script can read them and no other site can send them along with a form.
struct SessionCookies: Sendable {
    private enum Name: String, CaseIterable {
        case access = "pw_access"
        case refresh = "pw_refresh"
        case csrf = "pw_csrf"
    }

    let access: String?
    let refresh: String?
    let csrf: String?
    let isSecure: Bool

    /// Over TLS the names begin with `__Host-`, which no other host name of the domain can set.
    init(_ request: Request) {
        let isSecure = HTTPField.Name("X-Forwarded-Proto").flatMap { request.headers[$0] } == "https"
        var values: [String: String] = [:]
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, values[parts[0].trimmed] == nil else { continue }
                values[parts[0].trimmed] = parts[1].trimmed
            }
        }
        self.isSecure = isSecure
        access = values[Self.text(of: .access, isSecure)]
        refresh = values[Self.text(of: .refresh, isSecure)]
        csrf = values[Self.text(of: .csrf, isSecure)].flatMap { Self.isToken($0) ? $0 : nil }
    }

    /// What a browser keeps of a session.
    static func setting(_ session: IssuedSession, isSecure: Bool) -> [String] {
        let age = AccountService.refreshLifetime
        return [
            cookie(.access, session.accessToken, age: age, isSecure),
            cookie(.refresh, session.refreshToken, age: age, isSecure),
        ]
    }

    static func setting(csrf token: String, isSecure: Bool) -> String {
        cookie(.csrf, token, age: .seconds(30 * 24 * 3600), isSecure)
    }

    /// Makes a browser forget everything.
    static func clearing(isSecure: Bool) -> [String] {
        Name.allCases.map { cookie($0, "", age: .zero, isSecure) }
    }

    /// 256 random bits.
    static func makeToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return Hexadecimal.text(of: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    private static func isToken(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func text(of name: Name, _ isSecure: Bool) -> String {
        (isSecure ? "__Host-" : "") + name.rawValue
    }

    private static func cookie(_ name: Name, _ value: String, age: Duration, _ isSecure: Bool) -> String {
        "\(text(of: name, isSecure))=\(value); Path=/; Max-Age=\(age.components.seconds); HttpOnly; SameSite=Lax"
            + (isSecure ? "; Secure" : "")
    }
}
