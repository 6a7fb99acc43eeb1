import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

extension Response {
    static let jsonType = "application/json"

    /// An answer in JSON. What the API says of somebody's data is nobody else's: it is not to be stored on the way.
    static func json(
        _ value: JSONValue, status: HTTPResponse.Status, type: String = jsonType
    ) -> Response {
        bytes(JSONWriter.bytes(of: value), type: type, status: status)
    }

    static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status) -> Response {
        .bytes(ByteBuffer(bytes: bytes), type: type, status: status)
    }

    static func bytes(_ bytes: ByteBuffer, type: String, status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: bytes))
    }
}
