import AgentCore
import ArgumentParser
import BlockingIO
import Domain
import FleetIdentity
import Glibc

struct JoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Make this host a member of a fleet.",
        discussion: """
            The token comes from `pagewright host invite`; it works once. It names the fleet's authority, so that this
            host trusts nobody else.

            Example: pagewright-agent join --coordinator fleet.example.org:8443 --token pwj1.…
            """)

    @OptionGroup var options: StateOption
    @Option(help: "Where coordinators listen for agents: host:port,host:port…") var coordinator: String
    @Option(help: "The join token; - reads it from standard input.") var token: String
    @Option(help: "What to call this host; default: its host name.") var name: String?

    func run() async throws {
        let text = token == "-" ? (readLine(strippingNewline: true) ?? "") : token
        let joinToken = try JoinToken(text)
        try options.state.prepare()
        let pool = BlockingPool(label: "pagewright.join", width: 1)
        let enroller = Enroller(
            store: AgentIdentityStore(directory: options.state.identity), pool: pool, clock: HostClock())
        let identity = try await enroller.join(
            coordinator: coordinator, token: joinToken, hostName: name ?? Self.hostName(),
            agentVersion: AgentVersion.text)
        let roles = identity.roles.map(\.rawValue).sorted()
        if options.json {
            Output.print(
                #"{"host_id":"\#(identity.host)","roles":[\#(roles.map { "\"\($0)\"" }.joined(separator: ","))]}"#)
        } else {
            Output.print("This host is \(identity.host) (\(roles.joined(separator: ", "))) now.")
            Output.print("Its certificate ends at \(identity.certificate.notAfter) and is renewed in time.")
            Output.print("Start the agent: pagewright-agent run --state \(options.state.path)")
        }
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "host" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
