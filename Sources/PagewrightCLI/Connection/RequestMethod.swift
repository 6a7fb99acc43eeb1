/// What a request does.
struct RequestMethod: Sendable, Equatable {
    let text: String
    static let get = RequestMethod(text: "GET")
    static let post = RequestMethod(text: "POST")
    static let put = RequestMethod(text: "PUT")
    static let patch = RequestMethod(text: "PATCH")
    static let delete = RequestMethod(text: "DELETE")

    /// Sending it again changes nothing more.
    var onlyReads: Bool { self == .get || text == "HEAD" }
}
