import Domain
import HTTPTypes

/// What went wrong, as a page: what failed, whether visitors notice, and the one thing to do next.
struct PageProblem: Error {
    let status: HTTPResponse.Status
    let title: String
    let detail: String
    let nextStep: String?
    let isOurs: Bool
    private(set) var quota: Quota?

    private init(
        status: HTTPResponse.Status, title: String, detail: String, nextStep: String? = nil, isOurs: Bool = false
    ) {
        self.status = status
        self.title = title
        self.detail = detail
        self.nextStep = nextStep
        self.isOurs = isOurs
    }

    static let wrongMethod = Self(
        status: .methodNotAllowed, title: "This address takes something else",
        detail: "The page you came from can do this; the address alone cannot.")

    /// Internal errors say nothing but that they are ours: what they have to tell is for the log.
    init(_ error: any Error) {
        guard let error = error as? ServiceError, error.code != .internalError else {
            self =
                (error as? Self)
                ?? Self(
                    status: .internalServerError, title: "Something went wrong on our side",
                    detail: "Your sites are not affected: visitors see what they saw before.",
                    nextStep: "Try again. If it stays so, tell an operator the number below.", isOurs: true)
            return
        }
        self.init(
            status: error.status, title: Self.title(of: error.code), detail: Wording.sentence(error.message),
            nextStep: error.nextStep)
        quota = error.quota
    }

    private static func title(of code: ServiceError.Code) -> String {
        switch code {
        case .notFound: "Nothing here"
        case .permissionDenied: "This is not for your account"
        case .unauthenticated: "Please log in"
        case .quotaExceeded: "A limit is reached"
        case .rateLimited: "Too many tries"
        case .payloadTooLarge: "Too large"
        case .unavailable: "Not possible right now"
        case .storageFull: "The disk is full"
        case .validationFailed: "A check refused this"
        case .conflict, .failedPrecondition, .alreadyExists: "This does not fit how things are"
        case .invalidArgument: "Something is not right with this"
        case .internalError: "Something went wrong on our side"
        }
    }

    func page(requestID: String, isLoggedIn: Bool) -> Page {
        var page = Page("problem", title: title)
        page.status = status
        page.values = ["title": title, "detail": detail, "requestID": requestID, "isLoggedIn": isLoggedIn]
        if let nextStep { page.values["nextStep"] = nextStep }
        if let quota { page.values["quota"] = quota.values }
        return page
    }
}

extension ServiceError {
    /// The status of a page that shows this error.
    var status: HTTPResponse.Status {
        switch code {
        case .invalidArgument: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied, .quotaExceeded: .forbidden
        case .notFound: .notFound
        case .alreadyExists, .conflict, .failedPrecondition: .conflict
        case .validationFailed: .unprocessableContent
        case .payloadTooLarge: .contentTooLarge
        case .rateLimited: .tooManyRequests
        case .storageFull: .init(code: 507)
        case .unavailable: .serviceUnavailable
        case .internalError: .internalServerError
        }
    }

    /// For a page that stays as it is and says what was refused.
    var banner: [String: Any] {
        var values: [String: Any] = ["text": Wording.sentence(message), "findings": findings.map(FindingRow.values)]
        if let nextStep { values["nextStep"] = nextStep }
        if let quota { values["quota"] = quota.values }
        return values
    }
}
