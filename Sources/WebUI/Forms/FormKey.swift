import Coordinator
import Domain

/// What makes a form that is sent twice have one effect: each page gives its forms a number that is used once.
enum FormKey {
    static let field = "once"

    /// The key and the content together: a form that was sent, changed and sent again is another request.
    static func recall(
        _ form: FormFields, path: String, for principal: Principal, by idempotency: IdempotencyService
    ) async throws -> IdempotencyService.Recollection? {
        // What is kept of a form would let a password in it be guessed.
        guard !form.hasSecret, let number = form[field], (16...64).contains(number.utf8.count),
            number.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        let digest = IdempotencyService.digest(of: form.content.utf8)
        return try await idempotency.recall(
            "\(number).\(digest.text.prefix(32))", of: "FORM \(path.prefix(500))", body: digest, for: principal)
    }
}
