import Domain
import Foundation
import Synchronization
import Systemd

/// Says on standard output, in one line of JSON, that both ports are open, and where; tells the service manager too.
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
    private let notice: ServiceNotice?
    private let ports = Mutex(Ports())

    init(host: String, notice: ServiceNotice? = nil) {
        self.host = host
        self.notice = notice
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
        notice?.send(
            "READY=1", "STATUS=API and pages on \(host):\(complete.api), agents on \(host):\(complete.agents).")
    }
}
