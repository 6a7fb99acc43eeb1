import BlockingIO
import Domain
import Nginx

extension ServiceError {
    /// What a host says when it cannot bring a site up to date, whatever the error was.
    init(refusing error: any Error) {
        switch error {
        case let error as ServiceError: self = error
        case let error as SystemCallError where error.isStorageFull:
            self.init(
                .storageFull, "the disk of the host is full", rule: "disk-full",
                nextStep: "Free some space on it; the host tries again by itself.", cause: error)
        case let error as SystemCallError:
            self.init(.internalError, "the disk of the host refused it: \(error)", cause: error)
        case let error as NginxError:
            self.init(.unavailable, error.message, rule: "nginx", nextStep: error.nextStep, cause: error)
        default:
            self.init(.unavailable, "\(error)", cause: error)
        }
    }

    /// Whether the same attempt can succeed later without anybody's doing.
    var mayHeal: Bool {
        switch code {
        case .validationFailed, .permissionDenied, .invalidArgument, .conflict, .unauthenticated: false
        default: true
        }
    }
}
