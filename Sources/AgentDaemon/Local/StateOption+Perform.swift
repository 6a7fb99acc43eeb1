import AgentCore
import FoundationEssentials

extension StateOption {
    /// Asks the agent to do something and says what it said.
    func perform(_ request: LocalRequest) async throws {
        let word = try await StatusClient(path: state.socket).ask(request, as: LocalWord.self)
        Output.print(json ? String(decoding: try AgentStatus.encoder.encode(word), as: UTF8.self) : word.text)
    }
}
