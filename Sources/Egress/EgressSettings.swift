package import NIOCore
package import NIOSSL

/// What an operator decides about the way out, for all tasks.
package struct EgressSettings: Sendable {
    /// Models on machines of one's own, as `host:port` or `[address]:port`, exactly as in the model's address: only for
    /// these may a name lead to a loopback or private address, and only these are spoken to without TLS.
    package var localModels: Set<String> = []
    package var connectLimit: TimeAmount = .seconds(10)
    /// How long a model may say nothing at all.
    package var silenceLimit: TimeAmount = .seconds(150)
    /// Of one request.
    package var bodyLimit = 16 << 20
    /// Of one task at once.
    package var connections = 16
    package var trustRoots: NIOSSLTrustRoots = .default

    package init() {}
}
