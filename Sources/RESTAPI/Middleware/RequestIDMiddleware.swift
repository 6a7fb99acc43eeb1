import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// Gives each request an identifier: the caller's own, when it is a plain one, or a new one.
struct RequestIDMiddleware: RouterMiddleware {
    static let header = HTTPField.Name("X-Request-ID")!

    @concurrent func handle(
        _ request: Request, context: RESTRequestContext,
        next: @concurrent (Request, RESTRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = request.headers[Self.header].flatMap(Self.accepted) ?? Self.makeID()
        context.logger[metadataKey: "request.id"] = "\(context.requestID)"
        context.logger[metadataKey: "hb.request.id"] = nil
        var response = try await next(request, context)
        response.headers[Self.header] = context.requestID
        return response
    }

    private static func accepted(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
            default: false
            }
        }
        return isPlain && (1...64).contains(text.utf8.count) ? text : nil
    }

    private static func makeID() -> String {
        // Each random number is a call to the system: two of them, not one a byte.
        var generator = SystemRandomNumberGenerator()
        let (first, second): (UInt64, UInt32) = (generator.next(), generator.next())
        return "req_"
            + withUnsafeBytes(of: first) { first in
                withUnsafeBytes(of: second) { Hexadecimal.text(of: Array(first) + Array($0)) }
            }
    }
}
