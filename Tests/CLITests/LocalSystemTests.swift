import Foundation
import TestSupport
import Testing

@testable import PagewrightCLI

struct LocalSystemTests {
    @Test("A state folder is locked by one, and free again afterwards")
    func lock() async throws {
        try await withTemporaryDirectory { path in
            let state = StateDirectory(path: path + "/state")
            try state.prepare()
            let lock = try state.lock()
            let error = try #require(throws: CLIError.self) { try state.lock() }
            #expect(error.sentence.contains("process \(getpid())"))
            close(lock)
            close(try state.lock())
        }
    }

    @Test("A port that is taken is named, with the option that changes it; 0 picks a free one")
    func ports() throws {
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
        #expect(listen(descriptor, 1) == 0)
        let taken = Int(in_port_t(bigEndian: address.sin_port))
        let error = try #require(throws: CLIError.self) {
            try PortChoice.choose(taken, for: "sites", option: "--sites-port")
        }
        #expect(error.sentence == "port \(taken) (sites) is taken by another program")
        #expect(error.nextStep?.contains("--sites-port 0") == true)
        #expect(try PortChoice.choose(0, for: "sites", option: "--sites-port") > 0)
    }

    @Test("A program that dies ends the start, with its log's last lines")
    func death() async throws {
        try await withTemporaryDirectory { path in
            try script("pagewright-coordinator", in: path, "echo 'no such disk' >&2; exit 7")
            let error = try await #require(throws: CLIError.self) {
                try await system(in: path).run { _ in
                } note: { _ in
                }
            }
            #expect(error.sentence.contains("the coordinator ended by itself (exit code 7)"))
            #expect(error.sentence.contains("no such disk"))
        }
    }

    @Test("The agent joins once, stops before the coordinator, and the next start goes on")
    func order() async throws {
        try await withTemporaryDirectory { path in
            try script(
                "pagewright-coordinator", in: path,
                """
                case $1 in
                invite) echo '{"token":"secret"}';;
                serve) trap 'echo coordinator stopped >> \(path)/order; exit 0' TERM
                  echo '{"event":"ready","api":"http://127.0.0.1:1","agents":"127.0.0.1:2"}'
                  while :; do sleep 0.05; done;;
                esac
                """)
            try script(
                "pagewright-agent", in: path,
                """
                case $1 in
                join) echo "join $5" >> \(path)/order; mkdir -p \(path)/state/agent/identity
                  : > \(path)/state/agent/identity/current;;
                run) trap 'sleep 0.3; echo agent stopped >> \(path)/order; exit 0' TERM
                  echo '{"event":"ready","sites":"http://127.0.0.1:3","host_id":"host_1","nginx_pid":42}'
                  while :; do sleep 0.05; done;;
                esac
                """)
            for _ in 1...2 {
                let seen = Seen()
                await #expect(throws: Stop.self) {
                    try await system(in: path).run { running in
                        seen.running = running
                        throw Stop()
                    } note: { _ in
                    }
                }
                let running = try #require(seen.running)
                #expect(running.api == "http://127.0.0.1:1")
                #expect(running.sites == "http://127.0.0.1:3")
                #expect(running.processes["nginx"] == 42)
                #expect(Set(running.processes.keys) == ["coordinator", "agent", "nginx"])
            }
            let order = try String(contentsOfFile: path + "/order", encoding: .utf8)
            #expect(
                order.split(separator: "\n") == [
                    "join secret", "agent stopped", "coordinator stopped", "agent stopped", "coordinator stopped",
                ])
        }
    }

    @Test("Programs that outlived a killed start are ended by the next one, and others are left alone")
    func leftovers() async throws {
        try await withTemporaryDirectory { path in
            let state = StateDirectory(path: path + "/state")
            try state.prepare()
            // A program of ours is known by its name and by our folder among its arguments.
            try script("agent", in: path, "exec -a pagewright-agent /bin/bash -c 'while :; do sleep 0.05; done' $1/x")
            let left = SupervisedProgram(
                name: "agent", path: path + "/agent", arguments: [state.agent], log: path + "/agent.log")
            let (events, continuation) = AsyncStream.makeStream(of: SupervisionEvent.self)
            let other = Process()
            other.executableURL = URL(filePath: "/bin/sleep")
            other.arguments = ["100"]
            try other.run()
            defer { kill(other.processIdentifier, SIGKILL) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await left.run(patience: .seconds(5), reportingTo: continuation) }
                for await event in events {
                    if case .started(_, let process) = event {
                        try state.note(processes: ["agent": process, "nginx": other.processIdentifier])
                        while try !String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
                            .hasPrefix("pagewright-agent")
                        { await Task.yield() }
                        let ended = try await state.endLeftovers(of: ["pagewright-agent"])
                        #expect(ended == ["agent (process \(process))"])
                    }
                    if case .exited(_, let description) = event {
                        #expect(description == "signal 15")
                        continuation.finish()
                    }
                }
            }
            #expect(other.isRunning)
        }
    }

    private struct Stop: Error {}

    private final class Seen {
        var running: LocalSystem.Running?
    }

    private func script(_ name: String, in path: String, _ text: String) throws {
        try Data("#!/bin/bash\n\(text)\n".utf8).write(to: URL(filePath: path + "/" + name))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path + "/" + name)
    }

    private func system(in path: String) -> LocalSystem {
        LocalSystem(
            settings: LocalSystem.Settings(
                state: StateDirectory(path: path + "/state"), programs: path, port: 0, agentsPort: 0, sitesPort: 0,
                workerSlots: 1, agentOptions: []))
    }
}
