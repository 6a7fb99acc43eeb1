package import Domain
package import FleetIdentity

/// Makes connections to the coordinator. The session has one of its own and blobs have another, so that a heartbeat
/// never waits behind a file.
package struct CoordinatorConnection: Sendable {
    package enum Purpose: Sendable {
        /// Few small messages, each sent at once.
        case session
        /// Large messages.
        case blobs
    }

    /// All coordinators that may be connected to.
    package let addresses: CoordinatorAddresses
    private let tls: @Sendable () -> CoordinatorTLS

    /// For a member of the fleet: shows its certificate, and takes the one that is current for each new connection.
    package init(identity: AgentIdentityHolder, clock: any WallClock) throws(ServiceError) {
        addresses = try CoordinatorAddresses(identity.current.coordinator)
        tls = {
            CoordinatorTLS {
                let current = identity.current
                return .init(chain: current.certificateChain, keyPEM: current.key.pem)
            } verification: { presented in
                let current = identity.current
                let trust = try FleetTrust(roots: current.trustRoots, trustDomain: current.trustDomain)
                do throws(ServiceError) {
                    _ = try await trust.verifyCoordinator(presented, at: clock.now())
                } catch {
                    throw Self.explained(error)
                }
            }
        }
    }

    /// For a host that joins: shows nothing, and knows the coordinator by the key that the token names.
    package init(joining addresses: CoordinatorAddresses, pin: PublicKeyPin, clock: any WallClock) {
        self.addresses = addresses
        tls = {
            CoordinatorTLS {
                nil
            } verification: { presented in
                let trust = try FleetTrust(pin: pin, presented: presented)
                do throws(ServiceError) {
                    _ = try await trust.verifyCoordinator(presented, at: clock.now())
                } catch {
                    throw Self.explained(error)
                }
            }
        }
    }

    private static func explained(_ error: ServiceError) -> ServiceError {
        ServiceError(
            .unauthenticated, "the coordinator's certificate is refused: \(error.message)", rule: error.rule,
            nextStep: error.nextStep
                ?? (error.rule == "certificate-expired"
                    ? "Check the clocks of this host and of the coordinator, then restart the coordinator."
                    : "Check the address of the coordinator; if the fleet's authority is a new one, join again."),
            cause: error)
    }

    /// A channel to the present coordinator, that connects when it is run.
    package func makeChannel(for purpose: Purpose) throws -> CoordinatorChannel {
        try CoordinatorChannel(to: addresses.current, tls: tls(), purpose: purpose)
    }

    /// Runs a channel for as long as `body` takes. Errors come out explained.
    package func withChannel<Value: Sendable>(
        for purpose: Purpose, _ body: @Sendable @escaping (CoordinatorChannel) async throws -> Value
    ) async throws -> Value {
        let channel = try makeChannel(for: purpose)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                await channel.run()
                return nil
            }
            group.addTask {
                defer { channel.close() }
                do {
                    return try await body(channel)
                } catch {
                    let explained = channel.explain(error)
                    // Another coordinator may be reachable where this one is not.
                    if (explained as? ServiceError)?.code == .unavailable { addresses.leave(channel.address) }
                    throw explained
                }
            }
            var value: Value?
            while let next = try await group.next() { value = next ?? value }
            guard let value else { throw CancellationError() }
            return value
        }
    }
}
