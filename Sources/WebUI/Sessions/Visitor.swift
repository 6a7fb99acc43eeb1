import Coordinator
import Domain

/// Somebody who is logged in, by the cookies of the browser.
struct Visitor: Sendable {
    let caller: AuthenticatedCaller
    /// A fresh session that the browser has to be given, when the old access token had ended.
    let renewed: IssuedSession?
}
