import Domain
import HTTPTypes

/// One address of the pages.
struct PageRoute: Sendable {
    enum Access: Sendable {
        case anyone
        case user
    }

    enum Input: Sendable {
        case none
        /// Fields of a form, at most this many bytes.
        case form(limit: Int = 64 << 10)
        /// A form with a file in it; the handler reads it.
        case upload
    }

    let method: HTTPRequest.Method
    /// A template such as `/sites/{site}/studio`.
    let path: String
    let access: Access
    let input: Input
    let handle: @Sendable (PageVisit) async throws -> PageAnswer

    private init(
        _ method: HTTPRequest.Method, _ path: String, access: Access, input: Input,
        handle: @escaping @Sendable (PageVisit) async throws -> PageAnswer
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.input = input
        self.handle = handle
    }

    static func get(
        _ path: String, access: Access = .user, _ handle: @escaping @Sendable (PageVisit) async throws -> PageAnswer
    ) -> Self {
        Self(.get, path, access: access, input: .none, handle: handle)
    }

    static func post(
        _ path: String, access: Access = .user, input: Input = .form(),
        _ handle: @escaping @Sendable (PageVisit) async throws -> PageAnswer
    ) -> Self {
        Self(.post, path, access: access, input: input, handle: handle)
    }

    /// The values of the parameters when `path` is of this template. A last parameter `{path}` takes all that follows.
    func match(_ path: String) -> [String: String]? {
        let template = self.path.split(separator: "/")
        let parts = path.split(separator: "/")
        let takesRest = self.path.hasSuffix("/{path}")
        guard takesRest ? parts.count >= template.count : parts.count == template.count else { return nil }
        var values: [String: String] = [:]
        for (index, expected) in template.enumerated() {
            guard expected.hasPrefix("{") else {
                guard expected == parts[index] else { return nil }
                continue
            }
            let isRest = takesRest && index == template.count - 1
            let encoded = isRest ? parts[index...].joined(separator: "/") : String(parts[index])
            guard let decoded = encoded.removingPercents else { return nil }
            values[String(expected.dropFirst().dropLast())] = decoded
        }
        return values
    }
}
