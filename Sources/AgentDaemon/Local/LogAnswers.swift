import AgentCore
import Telemetry

/// The agent's log, for `pagewright-agent logs`.
struct LogAnswers: LocalAnswering {
    let ring: LogRing

    func answer(_ request: LocalRequest) async throws -> [UInt8]? {
        guard request.verb == .logs else { return nil }
        let found = ring.lines(after: request.after ?? 0)
        return try encoded(LocalLog(lines: found.lines, last: found.last, isGapped: found.isGapped))
    }
}
