import AgentProtocol
import Domain
import FleetIdentity
package import GRPCCore
package import GRPCNIOTransportHTTP2Posix
import NIOCore
import Synchronization

/// One HTTP/2 channel to the coordinator.
package final class CoordinatorChannel: Sendable {
    package typealias Transport = HTTP2ClientTransport.Posix
    package let client: GRPCClient<HTTP2ClientTransport.Posix>
    let address: CoordinatorAddress
    private let tls: CoordinatorTLS
    private let sockets: Sockets
    private let closing = OneShot()
    private let ended = OneShot()

    init(to address: CoordinatorAddress, tls: CoordinatorTLS, purpose: CoordinatorConnection.Purpose) throws {
        self.address = address
        self.tls = tls
        let sockets = Sockets()
        self.sockets = sockets
        var config = HTTP2ClientTransport.Posix.Config.defaults
        config.http2.authority = CertificateAuthority.coordinatorName
        // The default of 8 MiB makes large transfers quadratic.
        config.http2.targetWindowSize = 2 << 20
        config.connection.maxIdleTime = nil
        config.connection.keepalive = .init(time: .seconds(30), timeout: .seconds(10), allowWithoutCalls: false)
        if purpose == .session { config.connection.flushCoalescing = nil }
        config.backoff = .init(initial: .milliseconds(250), max: .seconds(10), multiplier: 1.6, jitter: 0.4)
        config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
            channel.eventLoop.makeCompletedFuture {
                sockets.add(channel)
                try tls.install(in: channel)
            }
        }
        client = GRPCClient(
            transport: try HTTP2ClientTransport.Posix(
                target: address.target, transportSecurity: .customSecure, config: config))
    }

    /// Keeps the connection up until ``close()``, or until the task is cancelled. Ends three seconds later at most.
    package func run() async {
        // A transport that is cancelled strands calls that wait for a connection; one that is shut down fails them. So
        // the cancellation of this task becomes a shutdown. A transport whose sockets break while it shuts down was seen
        // to wait for ever: what is left two seconds later is cancelled, and a second after that left behind.
        let connections = Task { [client, ended] in
            try? await client.runConnections()
            ended.fire()
        }
        let watchdog = Task { [closing, ended] in
            await closing.wait()
            try? await Task.sleep(for: .seconds(2))
            connections.cancel()
            try? await Task.sleep(for: .seconds(1))
            ended.fire()
        }
        await withTaskCancellationHandler {
            await ended.wait()
        } onCancel: {
            close()
        }
        closing.fire()
        watchdog.cancel()
        sockets.closeAll()
    }

    /// Ends the connection at once: whoever needs an answer has it already.
    package func close() {
        client.beginGracefulShutdown()
        sockets.closeAll()
        closing.fire()
    }

    /// Takes no new calls, and ends when those that run have ended.
    func retire() {
        client.beginGracefulShutdown()
    }

    /// What a failed call means for a person.
    package func explain(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError: return error
        case let error as ServiceError: return error
        case let error as RPCError:
            let translated = ServiceError(error)
            // Nothing of the coordinator's is in it, so the connection itself failed.
            guard error.code == .unavailable, translated.rule == nil, translated.nextStep == nil else {
                return translated
            }
            if let failure = tls.lastFailure { return failure }
            return ServiceError(
                .unavailable, "cannot reach the coordinator at \(address)", rule: "coordinator-unreachable",
                nextStep: "Check that it runs, that the address is right, and that no firewall is in between.",
                cause: error)
        default:
            return ServiceError(.internalError, "the connection to the coordinator at \(address) failed", cause: error)
        }
    }

    /// The TCP connections underneath, so that one whose peer is gone can be cut.
    private final class Sockets: Sendable {
        private let open = Mutex<(isClosed: Bool, channels: [ObjectIdentifier: any Channel])>((false, [:]))

        func add(_ channel: any Channel) {
            let key = ObjectIdentifier(channel)
            let isClosed = open.withLock { state in
                if !state.isClosed { state.channels[key] = channel }
                return state.isClosed
            }
            if isClosed { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { [weak self] _ in
                _ = self?.open.withLock { $0.channels.removeValue(forKey: key) }
            }
        }

        func closeAll() {
            let channels = open.withLock { state in
                state.isClosed = true
                return Array(state.channels.values)
            }
            for channel in channels { channel.close(promise: nil) }
        }
    }

    /// Something that happens once, and one task that waits for it.
    private final class OneShot: Sendable {
        private let state = Mutex<(hasHappened: Bool, waiter: CheckedContinuation<Void, Never>?)>((false, nil))

        func fire() {
            let waiter = state.withLock { state in
                state.hasHappened = true
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }

        func wait() async {
            await withCheckedContinuation { continuation in
                let hasHappened = state.withLock { state in
                    if !state.hasHappened { state.waiter = continuation }
                    return state.hasHappened
                }
                if hasHappened { continuation.resume() }
            }
        }
    }
}
