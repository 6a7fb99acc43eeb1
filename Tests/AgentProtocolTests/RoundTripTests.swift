import AgentProtocol
import Domain
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

    @Test("The reason to see a blob arrives", arguments: [BlobAccess.lease(Samples.lease), .site(Samples.site)])
    func access(access: BlobAccess) throws {
        #expect(try BlobAccess(wire: access.wire) == access)
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
