import Domain
import Foundation
import Synchronization

/// Says on standard output, in one line of JSON, that both ports are open, and where.
final class ReadyLine: Sendable {
    private struct Ports {
        var api: Int?
        var agents: Int?
    }

    private struct Line: Encodable {
        let event = "ready"
        let api: String
        let agents: String
    }

    private let host: String
    private let ports = Mutex(Ports())

    init(host: String) {
        self.host = host
    }

    func apiIsBound(to port: Int) { note { $0.api = port } }

    func agentsAreBound(to port: Int) { note { $0.agents = port } }

    private func note(_ change: (inout Ports) -> Void) {
        let complete = ports.withLock { ports -> (api: Int, agents: Int)? in
            change(&ports)
            guard let api = ports.api, let agents = ports.agents else { return nil }
            return (api, agents)
        }
        guard let complete else { return }
        // Whoever started this program may be gone; that is no reason to stop.
        try? printJSON(Line(api: "http://\(host):\(complete.api)", agents: "\(host):\(complete.agents)"))
    }
}
