import Foundation
import TestSupport
import Testing

/// Something is lost, and comes back by the commands that docs/backup.md gives for it.
@Suite(.serialized, .timeLimit(.minutes(15))) struct LossTests {
    /// A system with a backup of a site whose version 2 is live.
    private func withBackup(
        _ body: (_ system: TestSystem, _ client: APIClient, _ place: [String]) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            let client = try await system.begin()
            try await system.makeSite("bakery", by: client)
            try await system.edit("Before the loss", by: client)
            try await client.send("POST", "/api/v1/sites/bakery/promote", ["version": 2], expecting: [201])
            try await system.until("version 2 to be live") {
                await system.visit("bakery.localhost")?.body.contains("Before the loss") == true
            }
            try "correct horse battery staple\n".write(
                toFile: folder + "/passphrase", atomically: true, encoding: .utf8)
            let secret = ["--passphrase-file", folder + "/passphrase"]
            let backup = try await Self.coordinator(
                ["backup", "--to", folder + "/backups", "--blobs", "copy", "--state", folder + "/c", "--json"]
                    + secret, in: folder)
            try #require(backup.status == 0 && backup.json["good"] as? Bool == true, "\(backup)")
            try await body(system, client, ["--from", folder + "/backups"] + secret)
        }
    }

    private static func coordinator(_ words: [String], in folder: String) async throws -> Tool.Ended {
        try await Tool("pagewright-coordinator", words, in: folder).wait(atMost: .seconds(180))
    }

    @Test(
        "The whole coordinator is lost: it is restored, hosts serve all the while, and everything can be edited again")
    func everything() async throws {
        try await withBackup { system, client, place in
            let site = try #require(
                try await client.send("GET", "/api/v1/sites/bakery", expecting: [200])["id"] as? String)
            // What comes after the backup is lost, and is listed.
            try await system.edit("After the backup", by: client)
            try await client.send("POST", "/api/v1/sites/bakery/promote", ["version": 3], expecting: [201])
            try await system.until("version 3 to be live") {
                await system.visit("bakery.localhost")?.body.contains("After the backup") == true
            }
            let coordinator = try #require(system.coordinator)
            kill(coordinator.process.processIdentifier, SIGKILL)
            try await coordinator.wait()
            let state = ["--state", system.folder + "/c"]
            func secrets() -> [Data?] {
                ["ca/ca.key", "ca/version.key", "access-token.key", "engine-keys.key"].map {
                    FileManager.default.contents(atPath: "\(system.folder)/c/\($0)")
                }
            }
            let before = secrets()
            #expect(!before.contains(nil))
            try FileManager.default.removeItem(atPath: system.folder + "/c")
            #expect(await system.visit("bakery.localhost")?.status == 200)

            let restored = try await Self.coordinator(["restore"] + place + state, in: system.folder)
            try #require(restored.status == 0, "\(restored)")
            #expect(restored.output.contains("recovery accept"))
            #expect(secrets() == before)
            let again = try await Self.coordinator(["restore"] + place + state, in: system.folder)
            #expect(again.status == 1, "a database with rows is not written over")

            try system.startCoordinator()
            try await system.until("it to say that it is in recovery") {
                (try? await client.once.send("GET", "/readyz", expecting: [503])) != nil
            }
            try await client.send("POST", "/api/v1/sites", ["slug": "no", "name": "no"], expecting: [503])
            try await system.until("the host to tell what the backup lacks") {
                let shown = try await Self.coordinator(["recovery", "show"] + state, in: system.folder)
                return shown.output.contains(site)
            }
            #expect(await system.visit("bakery.localhost")?.body.contains("After the backup") == true)
            let accepted = try await Self.coordinator(["recovery", "accept"] + state, in: system.folder)
            #expect(accepted.status == 0, "\(accepted)")

            // The log-in of before is good; the site is as the backup has it, and can be changed.
            try await system.until("the site as the backup has it") {
                await system.visit("bakery.localhost")?.body.contains("Before the loss") == true
            }
            try await system.edit("After the restore", by: client)
            let versions = try await client.send("GET", "/api/v1/sites/bakery/versions", expecting: [200])
            let newest = try #require(
                (versions["items"] as? [[String: Any]])?.compactMap { $0["number"] as? Int }.max())
            // No number of the lost life is given out again.
            #expect(newest > 3)
            try await client.send("POST", "/api/v1/sites/bakery/promote", ["version": newest], expecting: [201])
            try await system.until("the new version to be live") {
                await system.visit("bakery.localhost")?.body.contains("After the restore") == true
            }
        }
    }

    @Test("One host is lost: another one joins in its place, gets its sites, and the old one is revoked")
    func host() async throws {
        try await withBackup { system, client, _ in
            let hosts = try await client.send("GET", "/api/v1/hosts", expecting: [200])["items"] as? [[String: Any]]
            let lost = try #require(hosts?.first?["id"] as? String)
            system.agent?.stop()
            try FileManager.default.removeItem(atPath: system.folder + "/a")

            let invited = try await system.pagewright(
                ["host", "invite", "--role", "worker", "--role", "serving", "--json"], as: client)
            let token = try #require(invited.json["token"] as? String, "\(invited)")
            let joined = try await system.askAgent(
                "join", "--coordinator", system.agents, "--token", token)
            #expect(joined.status == 0, "\(joined)")
            let revoked = try await system.pagewright(["host", "revoke", lost, "--yes"], as: client)
            #expect(revoked.status == 0, "\(revoked)")
            try system.startAgent()
            try await system.until("its sites to be there") {
                await system.visit("bakery.localhost")?.body.contains("Before the loss") == true
            }
            try await system.edit("On the new host", by: client)
        }
    }

    @Test("One site was deleted: it comes back out of the backup, by an export and a deployment")
    func site() async throws {
        try await withBackup { system, client, place in
            let deleted = try await system.pagewright(["sites", "delete", "bakery", "--yes"], as: client)
            #expect(deleted.status == 0, "\(deleted)")
            try await system.until("it to be gone") { await system.visit("bakery.localhost")?.status == 421 }

            let other = ["--state", system.folder + "/other"]
            let restored = try await Self.coordinator(["restore"] + place + other, in: system.folder)
            try #require(restored.status == 0, "\(restored)")
            let aside = try Tool(
                "pagewright-coordinator", ["serve", "--port", "0", "--agents-port", "0"] + other, in: system.folder)
            defer { aside.stop() }
            try await system.until("the other coordinator") { aside.output.contains("\n") }
            let ready = try JSONSerialization.jsonObject(with: Data(aside.output.utf8)) as? [String: Any]
            let address = try #require(ready?["api"] as? String)
            // Reading works in recovery; nothing has to be accepted for it.
            let file = system.folder + "/bakery.tar.gz"
            let exported = try await system.pagewright(
                ["export", "bakery", "-o", file, "--url", address], as: client)
            #expect(exported.status == 0, "\(exported)")
            let made = try await system.pagewright(["sites", "create", "bakery"], as: client)
            #expect(made.status == 0, "\(made)")
            let deployed = try await system.pagewright(["deploy", "bakery", file, "--prod"], as: client)
            #expect(deployed.status == 0, "\(deployed)")
            try await system.until("the site to be back") {
                await system.visit("bakery.localhost")?.body.contains("Before the loss") == true
            }
        }
    }

    @Test("The keys of the fleet alone are sealed in a file and come back, and hosts go on with them")
    func keys() async throws {
        try await withBackup { system, _, _ in
            let words = ["--state", system.folder + "/c", "--passphrase-file", system.folder + "/passphrase"]
            let file = system.folder + "/keys.pws"
            let exported = try await Self.coordinator(["ca", "export", "--to", file] + words, in: system.folder)
            #expect(exported.status == 0, "\(exported)")
            let sealed = try Data(contentsOf: URL(filePath: file))
            #expect(sealed.range(of: Data("PRIVATE".utf8)) == nil)
            system.coordinator?.stop()
            let folder = system.folder + "/c/ca"
            let key = FileManager.default.contents(atPath: folder + "/ca.key")
            try FileManager.default.removeItem(atPath: folder)
            let imported = try await Self.coordinator(["ca", "import", "--from", file] + words, in: system.folder)
            #expect(imported.status == 0, "\(imported)")
            #expect(FileManager.default.contents(atPath: folder + "/ca.key") == key)
            try system.startCoordinator()
            try await system.untilConnected()
        }
    }

    @Test("The restore that was proven last is told by the drill, the status, the API, the command and the metrics")
    func drill() async throws {
        try await withBackup { system, client, place in
            let before = try await system.pagewright(["backups"], as: client)
            #expect(before.output.contains("last proven restore  never"), "\(before)")
            let drill = try await Self.coordinator(
                ["backup", "drill", "--state", system.folder + "/c", "--json"] + place, in: system.folder)
            #expect(drill.status == 0 && drill.json["good"] as? Bool == true, "\(drill)")

            let shown = try await client.send("GET", "/api/v1/admin/backups", expecting: [200])
            #expect((shown["last_proven_restore_at"] as? String)?.hasSuffix("Z") == true, "\(shown)")
            let listed = try await system.pagewright(["backups"], as: client)
            #expect(listed.output.contains("last proven restore  ") && !listed.output.contains("never"), "\(listed)")
            let ready = try await client.send("GET", "/readyz", expecting: [200])
            #expect("\(ready)".contains("last proven restore: "), "\(ready)")
            let metrics = try await Tool.run("/usr/bin/curl", ["-sS", system.api + "/metrics"], in: system.folder)
            let line = metrics.output.split(separator: "\n").first {
                $0.hasPrefix("pagewright_restore_last_proven_timestamp_seconds")
            }
            #expect((line?.split(separator: " ").last.flatMap { Double($0) } ?? 0) > 1_700_000_000, "\(line ?? "-")")

            // The newest backup is damaged: the drill says so, and what was proven before stays what it was.
            let names = try FileManager.default.contentsOfDirectory(atPath: system.folder + "/backups")
            let backup = system.folder + "/backups/" + (try #require(names.first { $0.hasSuffix(".pwb") }))
            var bytes = try Data(contentsOf: URL(filePath: backup))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: backup))
            let bad = try await Self.coordinator(
                ["backup", "drill", "--state", system.folder + "/c"] + place, in: system.folder)
            #expect(bad.status == 1 && bad.output.contains("BAD"), "\(bad)")
            let after = try await client.send("GET", "/api/v1/admin/backups", expecting: [200])
            #expect(after["last_proven_restore_at"] as? String == shown["last_proven_restore_at"] as? String)
        }
    }

    @Test("A coordinator that is told how often backs itself up and proves it, without anybody asking")
    func schedule() async throws {
        try await withTemporaryDirectory { folder in
            let system = try TestSystem(folder: folder)
            defer { system.stop() }
            try "correct horse battery staple\n".write(
                toFile: folder + "/passphrase", atomically: true, encoding: .utf8)
            #expect(chmod(folder + "/passphrase", 0o600) == 0)
            try """
            backup.to: \(folder)/backups
            backup.every: 24h
            backup.drill-every: 7d
            backup.blobs: copy
            backup.passphrase-file: \(folder)/passphrase
            """.write(toFile: folder + "/coordinator.yaml", atomically: true, encoding: .utf8)
            let client = try await system.begin(options: ["--config", folder + "/coordinator.yaml"])
            try await system.until("a backup and a proof") {
                let shown = try await client.send("GET", "/api/v1/admin/backups", expecting: [200])
                return shown["last_backup_at"] as? String != nil && shown["last_proven_restore_at"] as? String != nil
            }
        }
    }
}

extension TestSystem {
    /// Changes the headline of the bakery and waits for the version.
    func edit(_ headline: String, by client: APIClient) async throws {
        let answer = try await client.send(
            "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"\(headline)\""],
            expecting: [202])
        let job = try #require((answer["job"] as? [String: Any])?["id"] as? String)
        try await until("the edit “\(headline)” to end") {
            let state = try await client.send("GET", "/api/v1/jobs/\(job)", expecting: [200])["state"] as? String
            return ["succeeded", "failed", "dead"].contains(state)
        }
        let state = try await client.send("GET", "/api/v1/jobs/\(job)", expecting: [200])["state"] as? String
        #expect(state == "succeeded")
    }
}
