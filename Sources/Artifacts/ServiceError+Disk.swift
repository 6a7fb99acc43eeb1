import BlockingIO
import Domain

extension ServiceError {
    /// What the disk refused, for a person: a full one has a next step, everything else is not the caller's doing.
    init(_ attempt: String, disk error: SystemCallError) {
        if error.isStorageFull {
            self.init(
                .storageFull, "\(attempt): the disk is full",
                nextStep:
                    "Free some space on the disk that holds \(error.path), or delete what is no longer needed, and try again.",
                cause: error)
        } else {
            self.init(.internalError, "\(attempt): the disk refused it", cause: error)
        }
    }
}

extension BlockingPool {
    /// As ``run(_:)``; a failed system call becomes a ``ServiceError`` that says what was attempted.
    func run<Value: Sendable>(
        _ attempt: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        do {
            return try await run(body)
        } catch let error as SystemCallError {
            throw ServiceError(attempt, disk: error)
        }
    }
}
