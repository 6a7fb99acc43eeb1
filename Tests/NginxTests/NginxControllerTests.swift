import Foundation
import Logging
import Nginx
import TestSupport
import Testing

/// How nginx is run.
@Suite("The controller of nginx") struct NginxControllerTests {
    private func farm(_ root: String, executable: String? = nil) throws -> Farm {
        let farm = try Farm(root, executable: executable)
        try farm.addTree("a", files: ["index.html": "one"])
        try farm.addSite("one", live: "a")
        return farm
    }

    private func failure(of settings: NginxSettings) async -> NginxError? {
        let controller = NginxController(settings: settings, logger: .quiet)
        do {
            try await controller.run()
            return nil
        } catch {
            return error as? NginxError
        }
    }

    @Test("A machine without nginx is told how to get it")
    func missing() async throws {
        try await withTemporaryDirectory { root in
            let error = await failure(of: try farm(root, executable: root + "/no/nginx").settings)
            #expect(error?.reason == .missing)
            #expect(error?.nextStep.contains("apt install nginx") == true)
        }
    }

    @Test("A port that is taken is named")
    func portTaken() async throws {
        try await withTemporaryDirectory { root in
            let first = try farm(root)
            try await first.serve { _ in
                var settings = first.settings
                settings.directory = root + "/other"
                let error = await failure(of: settings)
                #expect(error?.reason == .portTaken(first.address.port))
                #expect(error?.message.contains("port \(first.address.port)") == true)
                #expect(error?.nextStep.contains("--sites-listen") == true)
            }
        }
    }

    @Test("An address that is not of this machine is named")
    func foreignAddress() async throws {
        try await withTemporaryDirectory { root in
            var settings = try farm(root).settings
            settings.listen = [NginxListenAddress(host: "192.0.2.1", port: 8080)]
            #expect(await failure(of: settings)?.reason == .portNotPermitted(8080))
        }
    }

    @Test("Its status says which process answers, and that nothing was reloaded")
    func status() async throws {
        try await withTemporaryDirectory { root in
            let farm = try farm(root)
            try await farm.serve { controller in
                let status = await controller.status
                #expect(status.isAnswering && status.generation == 1 && status.reloads == 0 && status.restarts == 0)
                #expect(status.problem == nil)
                let process = try #require(status.processID)
                #expect(kill(process, 0) == 0)
            }
            // Stopped: the port is free again, and nothing runs there.
            #expect(throws: LoopbackFailure.self) { try farm.get("one.localhost") }
        }
    }

    @Test("A master that is killed is replaced, although its workers held the port")
    func killedMaster() async throws {
        try await withTemporaryDirectory { root in
            let farm = try farm(root)
            try await farm.serve { controller in
                let first = try #require(await controller.status.processID)
                kill(first, SIGKILL)
                var status = await controller.status
                while status.restarts == 0 || !status.isAnswering {
                    try await Task.sleep(for: .milliseconds(20))
                    status = await controller.status
                }
                #expect(await controller.status.processID != first)
                try #expect(farm.get("one.localhost").text == "one")
            }
        }
    }

    @Test("An nginx that an earlier agent left behind gives way", arguments: [true, false])
    func leftBehind(masterIsAlive: Bool) async throws {
        try await withTemporaryDirectory { root in
            let farm = try farm(root)
            // The first controller writes the configuration; then nginx runs from it without any agent.
            try await farm.serve { _ in }
            let orphan = Process()
            orphan.executableURL = URL(filePath: "/usr/sbin/nginx")
            orphan.arguments = ["-p", farm.settings.directory + "/", "-e", "error.log", "-c", "nginx.conf"]
            orphan.currentDirectoryURL = URL(filePath: farm.settings.directory)
            try orphan.run()
            defer { if orphan.isRunning { kill(orphan.processIdentifier, SIGQUIT) } }
            while (try? farm.get("one.localhost").status) != 200 { try await Task.sleep(for: .milliseconds(10)) }
            if !masterIsAlive { kill(orphan.processIdentifier, SIGKILL) }
            try await farm.serve { controller in
                #expect(await controller.status.processID != orphan.processIdentifier)
                try #expect(farm.get("one.localhost").text == "one")
            }
            orphan.waitUntilExit()
        }
    }

    @Test("A changed configuration is put in force by one reload")
    func apply() async throws {
        try await withTemporaryDirectory { root in
            let farm = try farm(root)
            let second = NginxListenAddress(host: "127.0.0.1", port: try freePorts(1)[0])
            try await farm.serve { controller in
                let process = await controller.status.processID
                try await controller.apply { $0.listen.append(second) }
                let status = await controller.status
                #expect(status.reloads == 1 && status.generation == 2 && status.processID == process)
                let answer = try LoopbackRequest(to: second, host: "one.localhost", method: "GET").perform()
                #expect(answer.text == "one")
            }
        }
    }

    @Test("A configuration that nginx refuses changes nothing")
    func refused() async throws {
        try await withTemporaryDirectory { root in
            let farm = try farm(root)
            try await farm.serve { controller in
                await #expect(throws: NginxError.self) { try await controller.apply { $0.domains = "/x\"; nonsense" } }
                #expect(await controller.status.generation == 1)
                try #expect(farm.get("one.localhost").text == "one")
            }
        }
    }

    @Test("A configuration that cannot come into force gives way to the last good one")
    func restored() async throws {
        try await withTemporaryDirectory { root in
            let farm = try farm(root)
            let taken = try Farm(root + "/other")
            try await taken.serve { _ in
                try await farm.serve { controller in
                    await #expect(throws: NginxError.self) {
                        try await controller.apply { $0.listen.append(taken.address) }
                    }
                    #expect(await controller.status.generation == 1)
                    try #expect(farm.get("one.localhost").text == "one")
                }
            }
        }
    }

    @Test("nginx ends when the process that started it is killed")
    func endsWithAgent() async throws {
        try await withTemporaryDirectory { root in
            let farm = try farm(root)
            try await farm.serve { _ in }
            // A shell stands for the agent.
            let agent = Process()
            agent.executableURL = URL(filePath: "/bin/sh")
            agent.arguments = [
                "-c",
                "setpriv --pdeathsig QUIT -- /usr/sbin/nginx -p \(farm.settings.directory)/ -e error.log -c nginx.conf & wait",
            ]
            try agent.run()
            defer { if agent.isRunning { kill(agent.processIdentifier, SIGKILL) } }
            while (try? farm.get("one.localhost").status) != 200 { try await Task.sleep(for: .milliseconds(10)) }
            kill(agent.processIdentifier, SIGKILL)
            agent.waitUntilExit()
            while (try? farm.get("one.localhost")) != nil { try await Task.sleep(for: .milliseconds(10)) }
        }
    }
}
