import AgentProtocol
import Domain
import Foundation
import SwiftProtobuf
import Testing

struct RoundTripTests {
    @Test("What an agent says arrives as it was said", arguments: Samples.agentMessages)
    func agent(message: AgentMessage) throws {
        let bytes: [UInt8] = try message.wire.serializedBytes()
        let read = try AgentMessage(wire: Pagewright_Agent_V1_AgentFrame(serializedBytes: bytes))
        #expect(read == message)
    }

    @Test("What the coordinator says arrives as it was said", arguments: Samples.coordinatorMessages)
    func coordinator(message: CoordinatorMessage) throws {
        let bytes: [UInt8] = try message.wire.serializedBytes()
        let read = try CoordinatorMessage(wire: Pagewright_Agent_V1_CoordinatorFrame(serializedBytes: bytes))
        #expect(read == message)
    }

    @Test("A completion reads back from the spool", arguments: Samples.completions)
    func spool(completion: JobCompletion) throws {
        #expect(try JobCompletion(serialized: completion.serialized()) == completion)
    }

    @Test(
        "The reason to see a blob arrives",
        arguments: [BlobAccess.lease(Samples.lease), .site(Samples.site), .checks(Samples.lease)])
    func access(access: BlobAccess) throws {
        #expect(try BlobAccess(wire: access.wire) == access)
    }

    @Test("What is said of a look arrives with the result", arguments: Samples.looks)
    func look(look: JobCompletion.Look) throws {
        let completion = JobCompletion(
            lease: Samples.lease, outcome: .cancelled, summary: "", usage: .zero, look: look)
        #expect(try JobCompletion(serialized: completion.serialized()) == completion)
    }

    @Test("What a browser saw arrives, and too long texts are shortened")
    func pageChecks() throws {
        let page = try SitePath("menu/index.html")
        let picture = PagePicture(
            page: page, kind: .page, width: 375, height: 900, format: .jpeg, digest: Samples.digest, sizeInBytes: 9,
            changes: [.init(x: 0, y: 1, width: 2, height: 3)])
        let small = PagePicture(
            page: page, kind: .thumbnail, width: 480, height: 300, format: .png, digest: Samples.other,
            sizeInBytes: 1, changes: nil)
        let finding = Finding(
            severity: .warning, rule: "console-error", path: page.text, subject: "oh", message: "A script failed.")
        let worse = Finding(severity: .error, rule: "id-twice", path: page.text, subject: "a", message: "Twice.")
        let checks = PageChecks(
            checks: [.init(.console), .init(.difference, obstacle: "there is none")], findings: [finding, worse],
            pictures: [picture, small.unchanged, small], before: [picture])
        let wire = checks.wire(for: Samples.lease)
        #expect(try PageChecks(wire: wire) == checks && JobLease(wire: wire.lease) == Samples.lease)
        let long = String(repeating: "ä", count: 5000)
        let talkative = PageChecks(
            checks: [.init(.console, obstacle: long)],
            findings: [Finding(severity: .warning, rule: "id-twice", path: page.text, subject: long, message: long)])
        let read = try PageChecks(wire: talkative.wire(for: Samples.lease))
        #expect(read.findings[0].message.utf8.count <= PageChecks.textLimit && read.checks[0].obstacle.hasPrefix("ää"))
    }

    @Test("That a worker has a browser is no engine on the wire: a coordinator from before would refuse it")
    func browser() throws {
        var hello = AgentMessage.Hello(
            agentVersion: "1", roles: [.worker], bootID: "b", leases: [], inventory: [], engines: [.builtin, .browser])
        hello.instance = "i"
        let wire = AgentMessage.hello(hello).wire
        #expect(wire.hello.engines == ["builtin"] && wire.hello.seesPages)
        guard case .hello(let read) = try AgentMessage(wire: wire) else {
            Issue.record("it is no hello")
            return
        }
        #expect(read.engines == [.builtin, .browser])
    }

    @Test("A report with sizes, kinds or numbers that cannot be is refused")
    func pageCheckLies() throws {
        let picture = Pagewright_Agent_V1_PagePicture.with {
            $0.path = "index.html"
            $0.kind = "page"
            $0.width = 375
            $0.height = 900
            $0.format = "png"
            $0.digest = .init(Samples.digest.bytes)
            $0.sizeBytes = 9
        }
        func refused(_ change: (inout Pagewright_Agent_V1_PagePicture) -> Void) -> Bool {
            var lie = picture
            change(&lie)
            return (try? PageChecks(wire: .with { $0.pictures = [lie] })) == nil
        }
        #expect(!refused { _ in })
        #expect(refused { $0.path = "../etc/passwd" })
        #expect(refused { $0.kind = "film" })
        #expect(refused { $0.width = 0 })
        #expect(refused { $0.height = 20_000 })
        #expect(refused { $0.format = "svg" })
        #expect(refused { $0.digest = .init([1]) })
        #expect(refused { $0.sizeBytes = PagePicture.sizeLimit + 1 })
        #expect(refused { $0.changes = [.with { $0.x = -1 }] })
        #expect(refused { $0.changes = Array(repeating: .init(), count: 25) })
    }

    @Test("A manifest's difference arrives", arguments: [nil, Samples.other])
    func manifest(base: ContentDigest?) throws {
        let reply = ManifestReply(base: base, changes: Samples.delta)
        #expect(try ManifestReply(wire: reply.wire) == reply)
    }

    @Test("A certificate arrives")
    func certificate() throws {
        let reply = CertificateReply(
            host: HostID(at: Samples.now), certificateChain: [[1, 2], [3]], trustRoots: [[4]],
            notBefore: Samples.now, notAfter: Samples.now + .seconds(60), roles: [.serving])
        #expect(try CertificateReply(wire: reply.wire) == reply)
    }

    @Test("Texts for people are shortened to what the other side takes")
    func shortened() throws {
        let long = String(repeating: "ä", count: 20_000)
        let status = SiteStatus(
            site: Samples.site, generation: 1, digest: Samples.digest, condition: .refused(reason: long))
        guard case .refused(let reason) = try SiteStatus(wire: status.wire).condition else {
            Issue.record("not refused")
            return
        }
        #expect(reason.utf8.count <= TextLimit.reason)
        #expect(reason.hasPrefix("ää"))
        let progress = AgentMessage.progress(Samples.lease, step: long, percent: 250)
        guard case .progress(_, let step, 100) = try AgentMessage(wire: progress.wire) else {
            Issue.record("not the progress")
            return
        }
        #expect(step.utf8.count <= TextLimit.step)
    }
}
