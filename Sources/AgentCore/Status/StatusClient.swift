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
        let answer = try await exchange("status", within: timeout)
        return try Self.read(AgentStatus.self, from: answer)
    }

    /// Asks for something to be done; throws what the agent refused.
    package func ask<Value: Decodable & Sendable>(_ request: LocalRequest, as type: Value.Type) async throws -> Value {
        let line = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
        let answer = try Self.read(
            LocalAnswer.self, from: try await exchange(line, within: request.patience + timeout))
        if let error = answer.error { throw error.error }
        return try Self.read(Value.self, from: Data((answer.result ?? "").utf8))
    }

    private static func read<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        do {
            return try AgentStatus.decoder.decode(Value.self, from: data)
        } catch {
            throw ServiceError(
                .internalError, "the agent's answer cannot be read",
                nextStep: "Use the command of the version that runs.", cause: error)
        }
    }

    private func exchange(_ line: String, within limit: Duration) async throws -> Data {
        try await withThrowingTaskGroup(of: Data.self) { group in
            group.addTask { try await send(line) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw ServiceError(
                    .unavailable, "the agent did not answer within \(limit.wholeMilliseconds) ms",
                    nextStep: "Look at its log: journalctl -u pagewright-agent.")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }

    private func send(_ line: String) async throws -> Data {
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
            try await requests.write(ByteBuffer(string: line + "\n"))
            for try await answer in answers { return Data(answer.readableBytesView) }
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
