import AgentCore
import Domain
import Nginx
import ServiceLifecycle
import Systemd

/// Prints one line when the host is ready: the coordinator is connected, and nginx answers when there is one.
///
/// The service manager hears that the agent is ready without waiting for the coordinator: sites are served without it.
struct ReadyAnnouncer: SessionParticipant, Service {
    private let host: HostID
    private let nginx: NginxController?
    private let notice: ServiceNotice?
    private let opened: AsyncStream<Void>
    private let opening: AsyncStream<Void>.Continuation

    init(host: HostID, nginx: NginxController? = nil, notice: ServiceNotice? = nil) {
        self.host = host
        self.nginx = nginx
        self.notice = notice
        (opened, opening) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            // When it does not answer, `status` says why; the agent is of use all the same.
            if let nginx { try? await nginx.waitUntilAnswering() }
            guard !Task.isCancelled else { return }
            notice?.send("READY=1")
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
    func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async {
        notice?.send("STATUS=Connected to the coordinator.")
        opening.yield()
    }
    func receive(_ message: CoordinatorMessage) async {}
    func sessionClosed() async { notice?.send("STATUS=The coordinator is away; sites are served as before.") }
    func report(in status: inout AgentStatus) async {}
}
