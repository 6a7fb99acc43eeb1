import Domain
import HTTPTypes

/// The one table that turns the codes of the use cases into HTTP.
extension ServiceError.Code {
    var status: HTTPResponse.Status {
        switch self {
        case .invalidArgument: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied: .forbidden
        case .notFound: .notFound
        case .alreadyExists: .conflict
        case .conflict: .conflict
        case .failedPrecondition: .conflict
        case .validationFailed: .unprocessableContent
        case .payloadTooLarge: .contentTooLarge
        case .quotaExceeded: .forbidden
        case .rateLimited: .tooManyRequests
        case .storageFull: .init(code: 507, reasonPhrase: "Insufficient Storage")
        case .unavailable: .serviceUnavailable
        case .internalError: .internalServerError
        }
    }

    /// What kind of problem this is, whatever the case.
    var title: String {
        switch self {
        case .invalidArgument: "The request has something wrong in it"
        case .unauthenticated: "A log-in is needed"
        case .permissionDenied: "This is not allowed"
        case .notFound: "There is no such thing"
        case .alreadyExists: "It exists already"
        case .conflict: "The state of things does not allow this"
        case .failedPrecondition: "Something else has to happen first"
        case .validationFailed: "The content was refused by a check"
        case .payloadTooLarge: "The request is too large"
        case .quotaExceeded: "A limit is reached"
        case .rateLimited: "Too many requests"
        case .storageFull: "The disk is full"
        case .unavailable: "Not possible right now"
        case .internalError: "Something went wrong on the server"
        }
    }
}
