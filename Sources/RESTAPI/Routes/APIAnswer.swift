import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// What a handler answers with; the status is the route's.
enum APIAnswer: Sendable {
    case nothing
    case json(JSONValue)
    /// JSON that was written already.
    case written(ByteBuffer)
    case text(String, type: String)
    /// For answers that are streamed or have headers or a status of their own.
    case response(Response)

    func response(status: HTTPResponse.Status) -> Response {
        switch self {
        case .nothing: Response(status: status)
        case .json(let value): .json(value, status: status)
        case .written(let bytes): .bytes(bytes, type: Response.jsonType, status: status)
        case .text(let text, let type): .bytes(Array(text.utf8), type: type, status: status)
        case .response(let response): response
        }
    }
}
