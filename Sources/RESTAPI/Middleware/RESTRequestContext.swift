import Coordinator
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What is known of a request beside the request itself.
struct RESTRequestContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    /// Stands in the answer, in problem documents and in every log line about the request.
    var requestID: String
    /// Who asks, as far as limits and logs tell callers apart.
    var clientAddress: ClientAddress

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
        requestID = ""
        clientAddress = ClientAddress(source.channel.remoteAddress?.ipAddress ?? "local")
    }
}
