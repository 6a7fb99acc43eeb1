import Foundation
import Nginx
import TestSupport
import Testing

@Suite("The configuration of nginx") struct NginxConfigurationTests {
    private let configuration = NginxConfiguration(
        domains: "/srv/state/domains", pages: "/srv/state/nginx/pages",
        listen: [NginxListenAddress(host: "127.0.0.1", port: 8080), NginxListenAddress(host: "::1", port: 8080)],
        generation: 7, controlToken: "secret")

    @Test("It names no site, and the farm only once")
    func farm() {
        #expect(configuration.rendered.components(separatedBy: "/srv/state/domains").count == 2)
        #expect(configuration.rendered.contains("listen [::1]:8080 default_server;"))
        #expect(
            configuration.rendered.contains("location = /secret { default_type text/plain; return 200 \"7 $pid\\n\"; }")
        )
    }

    @Test("The include has what belongs within http, and nothing else")
    func include() {
        let text = configuration.renderedInclude
        #expect(!text.contains("events") && !text.contains("daemon") && !text.contains("http {"))
        #expect(text.contains("server {") && text.contains("map $host"))
    }

    @Test("The machine's nginx takes the include, and is told to reload")
    func system() async throws {
        try await withTemporaryDirectory { root in
            // A whole nginx of its own stands for the machine's.
            let farm = try Farm(
                root, mode: .system(include: root + "/machine/pagewright.conf", pidFile: root + "/machine/nginx.pid"),
                executable: root + "/machine/nginx")
            try farm.addTree("a", files: ["index.html": "one"])
            try farm.addSite("one", live: "a")
            let machine = root + "/machine"
            try FileManager.default.createDirectory(atPath: machine + "/tmp", withIntermediateDirectories: true)
            try Data("#!/bin/sh\nexec /usr/sbin/nginx -p \(machine)/ -e stderr -c machine.conf \"$@\"\n".utf8)
                .write(to: URL(filePath: machine + "/nginx"))
            chmod(machine + "/nginx", 0o755)
            try Data(
                """
                daemon off; pid nginx.pid; error_log error.log; \(geteuid() == 0 ? "user root;" : "") events {}
                http {
                  client_body_temp_path tmp/b; proxy_temp_path tmp/p; fastcgi_temp_path tmp/f;
                  uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
                  server { listen 127.0.0.1:\(try freePorts(1)[0]); }
                  include \(machine)/pagewright*.conf;
                }
                """.utf8
            ).write(to: URL(filePath: machine + "/machine.conf"))
            let program = Process()
            program.executableURL = URL(filePath: machine + "/nginx")
            program.currentDirectoryURL = URL(filePath: machine)
            try program.run()
            defer {
                kill(program.processIdentifier, SIGQUIT)
                program.waitUntilExit()
            }
            while !FileManager.default.fileExists(atPath: machine + "/nginx.pid") {
                try await Task.sleep(for: .milliseconds(10))
            }
            try await farm.serve { controller in
                try #expect(farm.get("one.localhost").text == "one")
                #expect(await controller.status.reloads == 1)
                #expect(await controller.status.processID == program.processIdentifier)
            }
            // The agent is gone and the site is not.
            try #expect(farm.get("one.localhost").text == "one")
            // The next agent finds what it would have written, and disturbs nobody.
            try await farm.serve { controller in
                try #expect(farm.get("one.localhost").text == "one")
                #expect(await controller.status.reloads == 0)
                #expect(await controller.status.generation == 2)
            }
            // What somebody else changed is put right.
            let include = try String(contentsOfFile: machine + "/pagewright.conf", encoding: .utf8)
            try Data((include + "# mine\n").utf8).write(to: URL(filePath: machine + "/pagewright.conf"))
            try await farm.serve { controller in
                #expect(await controller.status.reloads == 1)
                try #expect(!String(contentsOfFile: machine + "/pagewright.conf", encoding: .utf8).contains("mine"))
            }
        }
    }
}
