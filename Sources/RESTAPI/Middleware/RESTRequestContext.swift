import Coordinator
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

/// What is known of a request beside the request itself.
struct RESTRequestContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    private let channel: any Channel
    /// Stands in the answer, in problem documents and in every log line about the request.
    var requestID: String
    /// Who asks, as far as limits and logs tell callers apart.
    var clientAddress: ClientAddress

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        remoteAddress = source.channel.remoteAddress
        requestID = ""
        clientAddress = ClientAddress(source.channel.remoteAddress?.ipAddress ?? "local")
    }

    /// Tells a client that waits for it (`Expect: 100-continue`) to send its body. Called when nothing that is known of
    /// the request speaks against reading it; a refusal before this saves the client the upload.
    func expectBody(of request: Request) async throws {
        guard request.headers[.expect]?.lowercased() == "100-continue" else { return }
        try await channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)))
    }
}
