import Domain
package import FoundationEssentials
import NIOCore
import NIOPosix

/// Asks the agent on this host how it is.
package struct StatusClient: Sendable {
    private static let answerLimit = 256 << 20
    private let path: String
    private let timeout: Duration

    package init(path: String, timeout: Duration = .seconds(2)) {
        self.path = path
        self.timeout = timeout
    }

    /// Throws `unavailable` when no agent runs or it does not answer in time.
    package func status() async throws -> AgentStatus {
        try await withThrowingTaskGroup(of: AgentStatus.self) { group in
            group.addTask { try await ask() }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw ServiceError(
                    .unavailable, "the agent did not answer within \(timeout.wholeMilliseconds) ms",
                    nextStep: "Look at its log: journalctl -u pagewright-agent.")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    private func ask() async throws -> AgentStatus {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(.seconds(2))
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ByteToMessageHandler(LineDecoder(limit: Self.answerLimit)))
                        return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw ServiceError(
                .unavailable, "no agent answers at \(path)", rule: "agent-not-running",
                nextStep: "Start it with: systemctl start pagewright-agent. Sites that nginx serves are not affected.",
                cause: error)
        }
        return try await channel.executeThenClose { answers, requests in
            try await requests.write(ByteBuffer(string: "status\n"))
            for try await answer in answers {
                do {
                    return try AgentStatus.decoder.decode(AgentStatus.self, from: Data(answer.readableBytesView))
                } catch {
                    throw ServiceError(
                        .internalError, "the agent's answer cannot be read",
                        nextStep: "Use the status command of the agent that runs.", cause: error)
                }
            }
            throw ServiceError(.unavailable, "the agent ended the connection without an answer")
        }
    }
}

extension AgentStatus {
    /// One line of JSON, names in snake_case.
    package static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    package static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}
