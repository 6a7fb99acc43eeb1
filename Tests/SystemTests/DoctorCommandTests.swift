import Foundation
import TestSupport
import Testing

/// `pagewright-agent doctor` on hosts that lack something, each in mounts of its own: it finds what, says what to do, and
/// its exit code is the worst that it found. Without the right to mount these tests fail.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DoctorCommandTests {
    /// A joined host whose agent ran once; the coordinator goes on.
    private func withHost(_ body: (TestSystem, APIClient) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.untilConnected()
            try await body(system, client)
        }
    }

    /// Runs `doctor` in a mount namespace in which `script` was run first; `$STATE` is a copy of the host's state there.
    private func doctor(_ system: TestSystem, after script: String) async throws -> Tool.Ended {
        let state = system.folder + "/scratch"
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: system.folder + "/empty"))
        return try await Tool.run(
            "/usr/bin/unshare",
            [
                "-m", "/bin/sh", "-c",
                """
                set -e
                mount --make-rprivate /
                STATE='\(state)'; EMPTY='\(system.folder)/empty'
                copy() { rm -rf "$STATE/identity"; cp -a '\(system.folder)/a/identity' "$STATE/"; chmod o= "$STATE"; }
                \(script)
                exec "$0" doctor --json --state "$STATE"
                """, Tool.path(of: "pagewright-agent"),
            ], in: system.folder)
    }

    private func expect(
        _ name: String, _ level: Int, saying words: String, in ended: Tool.Ended,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let check = ended.checks[name]
        #expect(check?["level"] as? Int == level, "\(ended)", sourceLocation: sourceLocation)
        let said = "\(check?["detail"] as? String ?? "") \(check?["next_step"] as? String ?? "")"
        #expect(said.contains(words), "\(said)", sourceLocation: sourceLocation)
        #expect(ended.status >= Int32(level), sourceLocation: sourceLocation)
    }

    @Test("A disk without space and one without inodes are found before they stop anything")
    func disks() async throws {
        try await withHost { system, _ in
            let full = try await doctor(
                system,
                after: """
                    mount -t tmpfs -o size=64m,mode=700 none "$STATE"; copy
                    head -c 65500000 /dev/zero > "$STATE/filler"
                    """)
            expect("disk", 1, saying: "Free space", in: full)
            let crowded = try await doctor(
                system,
                after: """
                    mount -t tmpfs -o size=64m,nr_inodes=1000,mode=700 none "$STATE"; copy; mkdir "$STATE/x"
                    i=0; while [ $i -lt 984 ]; do : > "$STATE/x/$i" || break; i=$((i+1)); done
                    """)
            expect("inodes", 1, saying: "Delete files", in: crowded)
        }
    }

    @Test("A missing nginx and a missing sandbox are bad, and named with the package that has them")
    func programs() async throws {
        try await withHost { system, _ in
            let missing = try await doctor(
                system,
                after: """
                    copy
                    for program in /usr/sbin/nginx /usr/bin/bwrap; do mount --bind "$EMPTY" "$program"; done
                    [ ! -d /usr/lib/chromium ] || mount -t tmpfs none /usr/lib/chromium
                    """)
            expect("nginx", 2, saying: "apt-get install nginx", in: missing)
            expect("sandbox", 2, saying: "bubblewrap", in: missing)
            // A worker may be without one.
            expect("browser", 0, saying: "apt-get install chromium", in: missing)
        }
    }

    @Test("Control groups: those that are there are named, missing controllers and a missing hierarchy too")
    func controlGroups() async throws {
        try await withHost { system, _ in
            func groups(_ controllers: String) -> String {
                "copy; mount -t tmpfs none /sys/fs/cgroup; echo '\(controllers)' > /sys/fs/cgroup/cgroup.controllers"
            }
            expect(
                "cgroups", 0, saying: "cpu, memory and pids",
                in: try await doctor(system, after: groups("cpuset cpu io memory pids")))
            expect("cgroups", 1, saying: "Delegate=yes", in: try await doctor(system, after: groups("cpu pids")))
            expect(
                "cgroups", 1, saying: "unified_cgroup_hierarchy",
                in: try await doctor(system, after: "copy; mount -t tmpfs none /sys/fs/cgroup"))
        }
    }

    @Test("A coordinator of another fleet, and one that revoked this host, are told from one that is away")
    func secureConnection() async throws {
        try await withHost { system, client in
            let well = try await system.askAgent("doctor", "--json")
            #expect(well.checks["tls"]?["level"] as? Int == 0, "\(well)")
            #expect(well.checks["names"]?["level"] as? Int == 0)
            #expect(well.checks["sandbox"]?["level"] as? Int == 0)

            let hosts = try await client.send("GET", "/api/v1/hosts", expecting: [200])["items"] as? [[String: Any]]
            let host = try #require(hosts?.first?["id"] as? String)
            try await client.send("POST", "/api/v1/hosts/\(host)/revoke", expecting: [200])
            let revoked = try await system.askAgent("doctor", "--json")
            expect("tls", 2, saying: "host invite", in: revoked)

            system.coordinator?.stop()
            try FileManager.default.removeItem(atPath: system.folder + "/c/ca")
            try system.startCoordinator()
            _ = try await APIClient(base: system.api).send("GET", "/healthz", expecting: [200])
            let stranger = try await system.askAgent("doctor", "--json")
            #expect(stranger.checks["tls"]?["level"] as? Int == 2, "\(stranger)")
            #expect(stranger.status == 2)
        }
    }

    @Test("In words there is a line for each check, and what to do below those that are not well")
    func words() async throws {
        try await withHost { system, _ in
            system.agent?.stop()
            let text = try await system.askAgent("doctor")
            #expect(text.status == 2)
            #expect(text.output.contains("bad       agent: "))
            #expect(text.output.contains("          next: Start it"), "\(text)")
            #expect(text.output.contains("ok        certificate: ends in"))
        }
    }
}
