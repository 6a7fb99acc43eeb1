import Domain
import NIOHTTP1

/// An answer of the server that is no success, in its own words.
struct S3Failure: Error, CustomStringConvertible {
    let operation: S3Request.Operation
    let status: Int
    /// Such as `NoSuchBucket`; empty when the answer had no body, as those to `HEAD`.
    let code: String
    let message: String
    /// Where the bucket is, if the server says so.
    let region: String?
    /// The server's clock when it answered.
    let serverTime: Timestamp?
    /// How long the server wants to be left alone.
    let retryAfter: Duration?

    init(_ operation: S3Request.Operation, status: Int, headers: HTTPHeaders, body: some Sequence<UInt8>) {
        let document = S3Document(body)
        self.operation = operation
        self.status = status
        code = document?["Code"] ?? ""
        message = document?["Message"] ?? ""
        region = document?["Region"] ?? headers.first(name: "x-amz-bucket-region")
        serverTime = headers.first(name: "date").flatMap(S3Time.parsed(http:))
        retryAfter = headers.first(name: "retry-after").flatMap { Int($0) }.map { .seconds(min(60, max(0, $0))) }
    }

    /// Whether the same request can succeed a moment later.
    var isTransient: Bool {
        guard !isStorageFull else { return false }
        switch code {
        case "SlowDown", "RequestTimeout", "RequestTimeTooLarge", "InternalError", "ServiceUnavailable",
            "ConditionalRequestConflict", "OperationAborted", "BadDigest", "XAmzContentSHA256Mismatch",
            "IncompleteBody":
            return true
        default: return status == 429 || status == 408 || status == 409 || status >= 500 && status != 501
        }
    }

    var isStorageFull: Bool {
        status == 507
            || ["QuotaExceeded", "InsufficientCapacity", "InsufficientStorage", "XMinioStorageFull"].contains(code)
    }

    var description: String {
        "\(operation.rawValue) answered \(status)" + (code.isEmpty ? "" : " \(code)")
            + (message.isEmpty ? "" : ": \(message.prefix(300))")
    }
}

extension ServiceError {
    /// What an answer means for whoever runs the coordinator. `rule` says which of the known troubles it is.
    init(_ failure: S3Failure, at location: S3Location, with credentials: S3Credentials, now: Timestamp) {
        func refusal(
            _ rule: String, _ message: String, _ nextStep: String, code: Code = .unavailable
        ) -> ServiceError {
            ServiceError(code, message, field: "blobs", rule: rule, nextStep: nextStep, cause: failure)
        }
        let bucket = "the bucket \(location.bucket) at \(location.authority)"
        switch (failure.status, failure.code) {
        case _ where failure.isStorageFull:
            self = refusal(
                "s3-out-of-space", "\(bucket) has no room left",
                "Free some space there, or raise its quota, and try again.", code: .storageFull)
        case (_, "NoSuchBucket"), (404, ""):
            self = refusal(
                "s3-bucket-missing", "there is no bucket \(location.bucket) at \(location.authority)",
                "Make the bucket, or correct its name in --blobs.")
        case (301, _), (_, "AuthorizationHeaderMalformed"), (_, "PermanentRedirect"),
            (_, "IllegalLocationConstraintException"),
            (_, "InvalidRegion"):
            let elsewhere = failure.region.map { " but in \($0)" } ?? ""
            self = refusal(
                "s3-wrong-region", "\(bucket) is not in the region \(location.region)\(elsewhere)",
                "Set region=\(failure.region ?? "…") (and the endpoint of that region) in --blobs.")
        case (_, "InvalidAccessKeyId"):
            self = refusal(
                "s3-wrong-key", "the store at \(location.authority) does not know \(credentials)",
                "Check the access key in the environment or in the file of --s3-credentials.")
        case (_, "SignatureDoesNotMatch"):
            self = refusal(
                "s3-wrong-secret", "the secret key does not fit \(credentials) at \(location.authority)",
                "Check the secret key in the environment or in the file of --s3-credentials.")
        case (_, "ExpiredToken"), (_, "TokenRefreshRequired"), (_, "InvalidToken"):
            self = refusal(
                "s3-token-over", "the session token for \(bucket) is over or wrong",
                "Write new keys into the file of --s3-credentials; they are read again within a minute.")
        case (_, "RequestTimeTooSkewed"), (_, "RequestExpired"):
            let skew = failure.serverTime.map { now - $0 }
            let measured =
                skew.map {
                    "\($0 < .zero ? "\(-$0.components.seconds) s behind" : "\($0.components.seconds) s ahead of")"
                }
                ?? "too far from"
            self = refusal(
                "s3-clock-skew", "the clock of this machine is \(measured) that of the store at \(location.authority)",
                "Set the clock of the machine that is wrong; 15 minutes are the most that S3 takes.")
        case (403, _), (401, _):
            self = refusal(
                "s3-access-denied", "\(bucket) refuses \(failure.operation.rawValue) to \(credentials)",
                "Give this key the rights to list the bucket and to get, put and delete its objects.")
        case _ where failure.isTransient:
            self = ServiceError(
                .unavailable, "the store at \(location.authority) does not do its work now", field: "blobs",
                rule: "s3-unavailable", nextStep: "It is tried again; look at that server if this stays.",
                retryAfter: failure.retryAfter ?? .seconds(5), cause: failure)
        default:
            self = refusal(
                "s3-refused", "\(bucket) refused \(failure.operation.rawValue)",
                "Look at the answer in the log, and check the address in --blobs.")
        }
    }
}
