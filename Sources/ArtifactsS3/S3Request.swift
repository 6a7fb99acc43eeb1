import Domain
import NIOCore
import NIOHTTP1

/// One call of the S3 protocol, before it is signed.
struct S3Request: Sendable {
    /// The word for it in metrics and messages.
    enum Operation: String, Sendable, CaseIterable {
        case head, get, put, delete, list
        case headBucket = "head-bucket"
        case beginUpload = "begin-upload"
        case uploadPart = "upload-part"
        case completeUpload = "complete-upload"
        case abortUpload = "abort-upload"
        case listUploads = "list-uploads"
    }

    /// The SHA-256 of nothing.
    static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    let operation: Operation
    let method: HTTPMethod
    /// `nil` for the bucket itself.
    let key: String?
    var query: [(name: String, value: String)] = []
    /// Names in small letters.
    var headers: [(name: String, value: String)] = []
    var body: ByteBuffer?
    /// The SHA-256 of the body, in hexadecimal digits; part of the signature.
    var bodyHash = S3Request.emptyHash

    init(_ operation: Operation, _ method: HTTPMethod, key: String?) {
        self.operation = operation
        self.method = method
        self.key = key
    }
}
