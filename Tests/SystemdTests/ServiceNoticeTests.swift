import Foundation
import ServiceLifecycle
import Systemd
import TestSupport
import Testing

/// What the service manager hears.
@Suite("Notices to systemd") struct ServiceNoticeTests {
    /// A socket as systemd has one, and what arrived on it.
    private struct Listener: ~Copyable {
        let descriptor: Int32

        init(_ path: String) throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let length = socklen_t(MemoryLayout<sockaddr_un>.size)
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            guard bound == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        }

        deinit { close(descriptor) }

        /// The next message that is there already; `nil` when there is none.
        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    private func notice(_ variables: [String: String]) -> ServiceNotice? {
        ServiceNotice { variables[$0] }
    }

    @Test("A program that was started by hand tells nobody")
    func absent() {
        #expect(notice([:]) == nil)
        #expect(notice(["NOTIFY_SOCKET": ""]) == nil)
        #expect(notice(["NOTIFY_SOCKET": "relative/path"]) == nil)
        #expect(notice(["NOTIFY_SOCKET": "/" + String(repeating: "a", count: 200)]) == nil)
    }

    @Test("Assignments arrive in one message, one on a line, whatever is in them")
    func message() async throws {
        try await withTemporaryDirectory { root in
            let listener = try Listener(root + "/notify")
            let notice = try #require(self.notice(["NOTIFY_SOCKET": root + "/notify"]))
            #expect(notice.send("READY=1", "STATUS=a\nREADY=0"))
            #expect(listener.next() == "READY=1\nSTATUS=a READY=0")
            #expect(notice.heartbeat == nil)
        }
    }

    @Test("A listener that is gone is not waited for")
    func gone() async throws {
        try await withTemporaryDirectory { root in
            let notice = try #require(self.notice(["NOTIFY_SOCKET": root + "/nobody"]))
            #expect(!notice.send("READY=1"))
        }
    }

    @Test("Half of the time limit is the heartbeat; that of another process is none")
    func heartbeat() {
        let socket = ["NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "30000000"]
        #expect(notice(socket)?.heartbeat == .seconds(15))
        #expect(notice(socket.merging(["WATCHDOG_PID": "\(getpid())"]) { $1 })?.heartbeat == .seconds(15))
        #expect(notice(socket.merging(["WATCHDOG_PID": "1"]) { $1 })?.heartbeat == nil)
        #expect(notice(socket.merging(["WATCHDOG_USEC": "x"]) { $1 })?.heartbeat == nil)
    }

    @Test("A watched program says that it lives until it is told to end", .timeLimit(.minutes(1)))
    func lives() async throws {
        try await withTemporaryDirectory { root in
            let listener = try Listener(root + "/notify")
            let notice = try #require(self.notice(["NOTIFY_SOCKET": root + "/notify", "WATCHDOG_USEC": "20000"]))
            let beating = Task { await ServiceHeartbeat(notice).run() }
            var heard = 0
            while heard < 3 {
                if let message = listener.next() {
                    #expect(message == "WATCHDOG=1")
                    heard += 1
                } else {
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            beating.cancel()
            await beating.value
        }
    }
}
