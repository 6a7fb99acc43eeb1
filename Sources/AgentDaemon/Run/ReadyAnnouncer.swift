import AgentCore
import Domain
import Nginx
import ServiceLifecycle

/// Prints one line when the host is ready: the coordinator is connected, and nginx answers when there is one.
struct ReadyAnnouncer: SessionParticipant, Service {
    private let host: HostID
    private let nginx: NginxController?
    private let opened: AsyncStream<Void>
    private let opening: AsyncStream<Void>.Continuation

    init(host: HostID, nginx: NginxController? = nil) {
        self.host = host
        self.nginx = nginx
        (opened, opening) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            for await _ in opened { break }
            var fields = #""event":"ready","host_id":"\#(host)""#
            if let nginx {
                try? await nginx.waitUntilAnswering()
                if let address = nginx.settings.listen.first {
                    fields += #","sites":"http://\#(address)""#
                }
                if let process = await nginx.status.processID { fields += #","nginx_pid":\#(process)"# }
            }
            guard !Task.isCancelled else { return }
            Output.print("{\(fields)}")
            // A service that ends takes the agent with it.
            for await _ in AsyncStream<Void>(unfolding: { try? await Task.sleep(for: .seconds(3600)) }) {}
        }
    }

    func describe(in hello: inout AgentMessage.Hello) async {}
    func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async { opening.yield() }
    func receive(_ message: CoordinatorMessage) async {}
    func sessionClosed() async {}
    func report(in status: inout AgentStatus) async {}
}
