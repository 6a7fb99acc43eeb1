import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Refuses forms that another site made the browser send.
enum FormGuard {
    /// By what the browser says of where the form was.
    static func checkOrigin(_ request: Request) throws(ServiceError) {
        if let name = HTTPField.Name("Sec-Fetch-Site"), let place = request.headers[name],
            place != "same-origin", place != "none"
        {
            throw refusal
        }
        guard let origin = request.headers[.origin] else { return }
        let host = origin.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true).last.map(String.init)
        guard host == request.head.authority else { throw refusal }
    }

    /// By the secret that the form and the cookie share.
    static func check(_ token: String?, against cookie: String?) throws(ServiceError) {
        guard let token, let cookie, token.utf8.count == cookie.utf8.count,
            zip(token.utf8, cookie.utf8).reduce(0, { $0 | ($1.0 ^ $1.1) }) == 0
        else { throw refusal }
    }

    private static var refusal: ServiceError {
        ServiceError(
            .permissionDenied, "this form was not sent from an open page of yours", rule: "form-token",
            nextStep: "Go back, reload the page, and send it again.")
    }
}
