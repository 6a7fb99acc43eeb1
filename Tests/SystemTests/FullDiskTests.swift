import Foundation
import TestSupport
import Testing

/// A full disk under the real programs: what does not fit is refused with a reason, nothing is lost, and it goes on by
/// itself when there is room again. Mounts a small file system; without the right to do so these tests fail.
@Suite(.serialized, .timeLimit(.minutes(10))) struct FullDiskTests {
    /// `MNT_DETACH`
    private static let detach: Int32 = 2

    /// A file system of `size` bytes in memory at `path`, for the scope of `body`.
    private func withDisk(_ size: Int, at path: String, _ body: () async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let mounted = mount("tmpfs", path, "tmpfs", 0, "size=\(size),mode=755")
        try #require(mounted == 0, "this test needs the right to mount: \(String(cString: strerror(errno)))")
        do {
            try await body()
            umount2(path, Self.detach)
        } catch {
            umount2(path, Self.detach)
            throw error
        }
    }

    /// Fills the disk at `path` until `rest` bytes are free, with a file that can be deleted again.
    private func fill(_ path: String, leaving rest: Int = 0) throws -> String {
        let filler = path + "/filler"
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0, count: 4096)
        var facts = statvfs()
        while statvfs(path, &facts) == 0, Int(facts.f_bavail) * Int(facts.f_frsize) > rest {
            guard write(descriptor, block, block.count) > 0 else { break }
        }
        return filler
    }

    private func files(in folder: String) -> Set<String> {
        let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        var isFolder: ObjCBool = false
        return Set(
            paths.filter {
                FileManager.default.fileExists(atPath: folder + "/" + $0, isDirectory: &isFolder) && !isFolder.boolValue
            })
    }

    /// A `.tar.gz` whose page has a random part of `size` bytes that cannot be compressed.
    private func makeArchive(_ name: String, size: Int, in folder: String) async throws -> String {
        let source = folder + "/source-" + name
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
        let page =
            "<!doctype html><html lang=\"en\"><head><title>\(name)</title></head><body><h1>\(name)</h1></body></html>"
        try Data(page.utf8).write(to: URL(filePath: source + "/index.html"))
        let random = try #require(try FileHandle(forReadingAtPath: "/dev/urandom")?.read(upToCount: size))
        try random.write(to: URL(filePath: source + "/photo.jpg"))
        let archive = folder + "/\(name).tar.gz"
        let tar = try await Tool.run("/bin/tar", ["-C", source, "-czf", archive, "."], in: folder)
        try #require(tar.status == 0, "\(tar)")
        return archive
    }

    /// Uploads with curl; the answer's status and body.
    private func upload(
        _ archive: String, to site: String, by client: APIClient, in folder: String
    ) async throws -> (status: Int, json: [String: Any]) {
        let curl = try await Tool.run(
            "/usr/bin/curl",
            [
                "-sS", "-m", "50", "--data-binary", "@\(archive)", "-H", "Content-Type: application/gzip", "-H",
                "Authorization: Bearer \(client.token ?? "")", "-w", "\n%{http_code}",
                "\(client.base)/api/v1/sites/\(site)/versions?promote=true",
            ], in: folder)
        let lines = curl.output.split(separator: "\n")
        let json = try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8)) as? [String: Any]
        return (lines.last.flatMap { Int($0) } ?? 0, json ?? [:])
    }

    private func expectProblem(_ answer: [String: Any], _ comment: Comment? = nil) {
        #expect(answer["type"] as? String == "urn:pagewright:problem:storage-full", comment)
        #expect(answer["title"] as? String == "The disk is full", comment)
        #expect((answer["detail"] as? String)?.isEmpty == false, comment)
        #expect((answer["next_step"] as? String)?.contains("make room") == true, comment)
    }

    @Test("The coordinator's disk is full: uploads and changes are refused as that, and all goes on when there is room")
    func coordinator() async throws {
        try await withTemporaryDirectory { folder in
            let state = folder + "/c"
            try await withDisk(40 << 20, at: state) {
                let system = try TestSystem(folder: folder)
                defer { system.stop() }
                let client = try await system.begin()
                try await system.makeSite("bakery", by: client)
                let process = try #require(system.coordinator?.process.processIdentifier)
                let blobs = files(in: state + "/blobs")

                // The body itself does not fit; then the body fits, but not its files beside it.
                let large = try await makeArchive("large", size: 3 << 20, in: folder)
                for rest in [1 << 20, 5 << 20] {
                    let filler = try fill(state, leaving: rest)
                    let (status, answer) = try await upload(large, to: "bakery", by: client, in: folder)
                    #expect(status == 507)
                    expectProblem(answer, "with \(rest) bytes left")
                    #expect(files(in: state + "/uploads").isEmpty)
                    #expect(files(in: state + "/blobs") == blobs)
                    #expect(unlink(filler) == 0)
                }

                // The database does not fit. The log of SQLite is as large as it ever was, so some changes still do.
                let edit = try await client.send(
                    "POST", "/api/v1/sites/bakery/edits", ["prompt": "Change the headline to \"Fresh at dawn\""],
                    expecting: [202])
                let job = try #require((edit["job"] as? [String: Any])?["id"] as? String)
                let filler = try fill(state)
                var accepted = "bakery"
                var refusal: [String: Any]?
                for number in 1...5000 {
                    let name = "Bakery \(number)"
                    let answer = try await client.send(
                        "PATCH", "/api/v1/sites/bakery", ["name": name], expecting: [200, 507])
                    if answer["status"] as? Int == 507 {
                        refusal = answer
                        break
                    }
                    accepted = name
                }
                expectProblem(try #require(refusal, "the database was never full"))
                try await system.until("the coordinator to say that it is full") {
                    let answer = try? await client.once.send("GET", "/readyz", expecting: [503])
                    return answer.map { "\($0)".contains("is full") } ?? false
                }
                #expect(await system.visit("bakery.localhost")?.status == 200)
                let site = try await client.send("GET", "/api/v1/sites/bakery", expecting: [200])
                #expect(site["name"] as? String == accepted)

                #expect(unlink(filler) == 0)
                try await system.until("the coordinator to be ready again") {
                    (try? await client.once.send("GET", "/readyz", expecting: [200])) != nil
                }
                // Nothing was started anew, and what was accepted before is done.
                try await system.until("the edit to be done") {
                    let view = try await client.send("GET", "/api/v1/jobs/\(job)", expecting: [200])
                    return view["state"] as? String == "succeeded"
                }
                let again = try await upload(large, to: "bakery", by: client, in: folder)
                #expect(again.status == 201, "\(again.json)")
                try await system.until("the new version to be live") {
                    await system.visit("bakery.localhost")?.body.contains("<h1>large</h1>") == true
                }
                try await client.send("PATCH", "/api/v1/sites/bakery", ["name": "Open again"], expecting: [200])
                let versions = try await client.send("GET", "/api/v1/sites/bakery/versions", expecting: [200])
                let numbers = (versions["items"] as? [[String: Any]])?.compactMap { $0["number"] as? Int }
                #expect(numbers == [3, 2, 1])
                #expect(system.coordinator?.process.processIdentifier == process)
                #expect(system.coordinator?.process.isRunning == true)
            }
        }
    }

    @Test("A host's disk is full: it says so, keeps what it serves, and follows by itself when there is room")
    func host() async throws {
        try await withTemporaryDirectory { folder in
            let state = folder + "/a"
            try await withDisk(24 << 20, at: state) {
                let system = try TestSystem(folder: folder)
                defer { system.stop() }
                let client = try await system.begin()
                try await system.makeSite("bakery", by: client)
                let filler = try fill(state, leaving: 1 << 20)
                let large = try await makeArchive("large", size: 4 << 20, in: folder)
                let (status, answer) = try await upload(large, to: "bakery", by: client, in: folder)
                #expect(status == 201, "\(answer)")

                func serving() async throws -> [String: Any] {
                    let site = try await client.send("GET", "/api/v1/sites/bakery", expecting: [200])
                    return (site["serving"] as? [[String: Any]])?.first ?? [:]
                }
                try await system.until("the host to refuse") { try await serving()["state"] as? String == "refused" }
                let reason = try #require(try await serving()["error"] as? String)
                #expect(reason.contains("disk") && reason.contains("full"), "\(reason)")
                #expect(reason.contains("Free some space"), "\(reason)")
                let visit = try #require(await system.visit("bakery.localhost"))
                #expect(visit.status == 200 && !visit.body.contains("<h1>large</h1>"))
                #expect(try await system.agentStatus().status != 0)

                #expect(unlink(filler) == 0)
                try await system.until("the host to follow") {
                    await system.visit("bakery.localhost")?.body.contains("<h1>large</h1>") == true
                }
                try await system.until("the host to say so") { try await serving()["state"] as? String == "applied" }
            }
        }
    }
}
