import AgentCore
import BlockingIO
import Domain
import Foundation
import TestSupport
import Testing

@testable import AgentDaemon

struct DoctorTests {
    private func examine(_ path: String) async -> [String: DoctorCheck] {
        let doctor = Doctor(
            state: StateFolder(path: path), pool: BlockingPool(label: "doctor", width: 1), clock: HostClock())
        return Dictionary(uniqueKeysWithValues: await doctor.examine().map { ($0.name, $0) })
    }

    @Test("A host that never joined is told how to")
    func unjoined() async throws {
        try await withTemporaryDirectory { path in
            #expect(chmod(path, 0o700) == 0)
            let checks = await examine(path)
            #expect(checks["state"]?.level == .ok)
            #expect(checks["identity"]?.level == .bad)
            #expect(checks["identity"]?.nextStep?.contains("pagewright-agent join") == true)
        }
    }

    @Test("A state folder that others can read is found")
    func open() async throws {
        try await withTemporaryDirectory { path in
            #expect(chmod(path, 0o755) == 0)
            #expect(await examine(path)["state"]?.level == .degraded)
        }
    }

    private struct OldClock: WallClock {
        func now() -> Timestamp { Timestamp(millisecondsSinceEpoch: 946_684_800_000) }
    }

    @Test("A clock that stands in the past is bad, and it is said what keeps clocks right")
    func clock() {
        let doctor = Doctor(
            state: StateFolder(path: "/"), pool: BlockingPool(label: "doctor", width: 1), clock: OldClock())
        let check = doctor.hostClock()
        #expect(check.level == .bad && check.nextStep?.contains("chrony") == true)
    }

    @Test("A name without an address is bad; of several coordinators one that is known is enough to go on")
    func names() async {
        let doctor = Doctor(
            state: StateFolder(path: "/"), pool: BlockingPool(label: "doctor", width: 1), clock: HostClock())
        let unknown = await doctor.names(in: "nowhere.invalid:8443")
        #expect(unknown.level == .bad && unknown.nextStep?.contains("/etc/resolv.conf") == true)
        #expect(unknown.detail.contains("nowhere.invalid"))
        #expect(await doctor.names(in: "nowhere.invalid:8443,127.0.0.1:8443").level == .degraded)
        #expect(await doctor.names(in: "127.0.0.1:8443").level == .ok)
    }

    @Test("Every check that is not well says what to do")
    func nextSteps() async throws {
        try await withTemporaryDirectory { path in
            for check in await examine(path + "/nothing").values where check.level != .ok {
                #expect(check.nextStep?.isEmpty == false, "\(check)")
            }
        }
    }

    @Test("A port where nobody listens is told from one where somebody does")
    func probe() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(descriptor, $0, length)
                _ = getsockname(descriptor, $0, &length)
            }
        }
        let port = Int(in_port_t(bigEndian: address.sin_port))
        #expect(throws: TCPProbe.Failure.self) { try TCPProbe.connect(host: "127.0.0.1", port: port, seconds: 2) }
        #expect(listen(descriptor, 1) == 0)
        try TCPProbe.connect(host: "127.0.0.1", port: port, seconds: 2)
    }
}
