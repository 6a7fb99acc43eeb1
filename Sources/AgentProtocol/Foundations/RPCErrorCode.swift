package import Domain
package import GRPCCore

/// How a ``ServiceError`` travels as a gRPC status, both ways. This is the only such table.
package enum RPCErrorCode {
    package static func code(for code: ServiceError.Code) -> RPCError.Code {
        switch code {
        case .invalidArgument, .validationFailed: .invalidArgument
        case .unauthenticated: .unauthenticated
        case .permissionDenied: .permissionDenied
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .conflict: .aborted
        case .failedPrecondition: .failedPrecondition
        case .payloadTooLarge, .quotaExceeded, .rateLimited, .storageFull: .resourceExhausted
        case .unavailable: .unavailable
        case .internalError: .internalError
        }
    }

    /// What a status means when it does not say itself which ``ServiceError/Code-swift.enum`` it was.
    package static func code(for code: RPCError.Code) -> ServiceError.Code {
        switch code {
        case .invalidArgument, .outOfRange: .invalidArgument
        case .unauthenticated: .unauthenticated
        case .permissionDenied: .permissionDenied
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .aborted: .conflict
        case .failedPrecondition, .unimplemented: .failedPrecondition
        case .resourceExhausted: .rateLimited
        case .unavailable, .deadlineExceeded, .cancelled: .unavailable
        default: .internalError
        }
    }

    // The names of the trailing metadata. Values are percent-encoded, because metadata is ASCII.
    static let codeKey = "pagewright-code"
    static let fieldKey = "pagewright-field"
    static let ruleKey = "pagewright-rule"
    static let nextStepKey = "pagewright-next-step"
    static let retryAfterKey = "pagewright-retry-after-ms"
}

/// A handler may throw a ``ServiceError``: the peer gets its status and the trailing metadata. The cause stays here; it
/// is for our log, not for the peer.
extension ServiceError: RPCErrorConvertible {
    package var rpcErrorCode: RPCError.Code { RPCErrorCode.code(for: code) }
    package var rpcErrorMessage: String { message.clipped(to: 4096) }
    package var rpcErrorMetadata: Metadata {
        var metadata: Metadata = [:]
        metadata.addString(code.rawValue, forKey: RPCErrorCode.codeKey)
        if let field { metadata.addString(PercentEncoding.encode(field), forKey: RPCErrorCode.fieldKey) }
        if let rule { metadata.addString(PercentEncoding.encode(rule), forKey: RPCErrorCode.ruleKey) }
        if let nextStep {
            metadata.addString(PercentEncoding.encode(nextStep.clipped(to: 2048)), forKey: RPCErrorCode.nextStepKey)
        }
        if let retryAfter {
            metadata.addString(String(retryAfter.wholeMilliseconds), forKey: RPCErrorCode.retryAfterKey)
        }
        return metadata
    }
}

extension ServiceError {
    /// What a peer answered.
    package init(_ error: RPCError) {
        func text(_ key: String) -> String? {
            error.metadata[stringValues: key].first { _ in true }.map(PercentEncoding.decode)
        }
        let retryAfter = text(RPCErrorCode.retryAfterKey).flatMap { Int64($0) }.flatMap { milliseconds in
            (0...86_400_000).contains(milliseconds) ? Duration.milliseconds(milliseconds) : nil
        }
        self.init(
            text(RPCErrorCode.codeKey).flatMap(Code.init(rawValue:)) ?? RPCErrorCode.code(for: error.code),
            error.message.isEmpty ? "the peer answered \(error.code)" : error.message,
            field: text(RPCErrorCode.fieldKey), rule: text(RPCErrorCode.ruleKey),
            nextStep: text(RPCErrorCode.nextStepKey), retryAfter: retryAfter, cause: error)
    }
}
