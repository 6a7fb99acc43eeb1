import AgentProtocol
import Domain
import SwiftProtobuf
import Testing

/// Messages as programs of the version before wrote them, recorded byte by byte: what this version made of the protocol
/// since then must not change what they say. (Living peers of that version: `PythonAgentTests`, with its protocol.)
@Suite struct EarlierVersionTests {
    private static let recorded: [String: String] = [
        "welcome": """
        0a32080810904e18e0d4032205302e302e392a20010101010101010101010101010101010101010101010101010101010101\
        0101
        """,
        "offer": """
        12cc010a490a1a6a6f625f3030303030303030303030303030303030303030303110031a2061626162616261626162616261\
        62616261626162616261626162616261626162208780808080808001121b736974655f303030303030303030303030303030\
        303030303030311a046564697420e0d4032a201b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b\
        1b32076275696c74696e3a0f4772c3b6c39f65722c206269747465421c08c0cf241080808080081880012080808008288080\
        80800830d08603
        """,
        "cancel": """
        1a490a1a6a6f625f3030303030303030303030303030303030303030303110031a2061626162616261626162616261626162\
        61626162616261626162616261626162208780808080808001
        """,
        "leaseLost": """
        22490a1a6a6f625f3030303030303030303030303030303030303030303110031a2061626162616261626162616261626162\
        61626162616261626162616261626162208780808080808001
        """,
        "desired": """
        3a87020a80020a1b736974655f30303030303030303030303030303030303030303031102a2266080c12201b1b1b1b1b1b1b\
        1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1a400909090909090909090909090909090909090909090909\
        09090909090909090909090909090909090909090909090909090909090909090909090909090909092a66080c12201b1b1b\
        1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1a4009090909090909090909090909090909090909\
        0909090909090909090909090909090909090909090909090909090909090909090909090909090909090909093a0f777777\
        2e6578616d706c652e6f726710011801
        """,
        "goAway": "420c0a077265737461727410dc0b",
        "hello": """
        0abd010a05302e302e391206776f726b6572120773657276696e671a016222490a1a6a6f625f303030303030303030303030\
        3030303030303030303110031a20616261626162616261626162616261626162616261626162616261626162616220878080\
        80808080012a4c0a1b736974655f3030303030303030303030303030303030303030303110091a201b1b1b1b1b1b1b1b1b1b\
        1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b280130043880808080802032076275696c74696e
        """,
        "heartbeat": """
        124f0a490a1a6a6f625f3030303030303030303030303030303030303030303110031a206162616261626162616261626162\
        61626162616261626162616261626162616220878080808080800110051806
        """,
        "credit": "1a020804",
        "siteStatus": """
        4a4c0a1b736974655f3030303030303030303030303030303030303030303110091a201b1b1b1b1b1b1b1b1b1b1b1b1b1b1b\
        1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b2801300438808080808020
        """,
        "complete": """
        42b7010a490a1a6a6f625f3030303030303030303030303030303030303030303110031a2061626162616261626162616261\
        62616261626162616261626162616261626162208780808080808001125e0a300a0a696e6465782e68746d6c100c1a201b1b\
        1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b12086f6c642e68746d6c1a201b1b1b1b1b1b1b1b\
        1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b2a0644696420697432020801
        """,
    ]

    private static func bytes(_ name: String) throws -> [UInt8] {
        let digits = Array(try #require(recorded[name]).utf8)
        return try stride(from: 0, to: digits.count, by: 2).map { index in
            try #require(UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16))
        }
    }

    private static func coordinator(_ name: String) throws -> CoordinatorMessage {
        try CoordinatorMessage(wire: Pagewright_Agent_V1_CoordinatorFrame(serializedBytes: try bytes(name)))
    }

    private static func agent(_ name: String) throws -> AgentMessage {
        try AgentMessage(wire: Pagewright_Agent_V1_AgentFrame(serializedBytes: try bytes(name)))
    }

    private static let site = SiteID(unchecked: "site_0000000000000000000001")
    private static let digest = ContentDigest(String(repeating: "1b", count: 32))!
    private static let lease = JobLease(
        job: JobID(unchecked: "job_0000000000000000000001"), attempt: 3,
        token: LeaseToken(String(repeating: "ab", count: 16))!, fence: Fence(rawValue: 2 << 48 + 7))

    @Test("An agent understands a coordinator of the version before, and expects nothing new of it")
    func coordinatorOfBefore() throws {
        guard case .welcome(let welcome) = try Self.coordinator("welcome") else {
            Issue.record("it is no welcome")
            return
        }
        #expect(welcome.sessionEpoch == 8 && welcome.heartbeatInterval == .seconds(10))
        #expect(welcome.features.isEmpty)
        guard case .offer(let offer) = try Self.coordinator("offer") else {
            Issue.record("it is no offer")
            return
        }
        #expect(
            offer
                == JobOffer(
                    lease: Self.lease, site: Self.site, kind: .edit, leaseDuration: .seconds(60), base: Self.digest,
                    engine: .builtin, prompt: "Größer, bitte", limits: .init()))
        #expect(offer.model == nil && offer.generation == nil)
        #expect(try Self.coordinator("cancel") == .cancel(Self.lease))
        #expect(try Self.coordinator("leaseLost") == .leaseLost(Self.lease))
        #expect(try Self.coordinator("goAway") == .goAway(reason: "restart", delay: .milliseconds(1500)))
        guard case .desired(let sites, .snapshot(index: 0, isLast: true)) = try Self.coordinator("desired") else {
            Issue.record("it is no whole snapshot")
            return
        }
        let tree = DesiredSite.Tree(
            number: VersionNumber(unchecked: 12), digest: Self.digest, signature: [UInt8](repeating: 9, count: 64))
        #expect(
            sites == [
                DesiredSite(
                    site: Self.site, generation: 42, live: tree, preview: tree,
                    liveNames: [try DomainName("www.example.org")])
            ])
    }

    @Test("A coordinator understands an agent of the version before")
    func agentOfBefore() throws {
        let status = SiteStatus(
            site: Self.site, generation: 9, digest: Self.digest, condition: .applied, fetchedFiles: 4,
            fetchedBytes: 1 << 40)
        guard case .hello(let hello) = try Self.agent("hello") else {
            Issue.record("it is no hello")
            return
        }
        #expect(hello.roles == [.worker, .serving] && hello.engines == [.builtin])
        #expect(hello.leases == [Self.lease] && hello.inventory == [status])
        // Told from a clone by the boot of its machine then.
        #expect(hello.instance.isEmpty && hello.bootID == "b")
        #expect(
            try Self.agent("heartbeat") == .heartbeat(leases: [Self.lease], diskFreeBytes: 5, diskTotalBytes: 6))
        #expect(try Self.agent("credit") == .credit(slots: 4))
        #expect(try Self.agent("siteStatus") == .siteStatus(status))
        guard case .complete(let completion) = try Self.agent("complete") else {
            Issue.record("it is no completion")
            return
        }
        #expect(completion.lease == Self.lease && completion.summary == "Did it")
        #expect(completion.transcript.isEmpty && completion.steps.isEmpty)
        guard case .succeeded(let changes, Self.digest) = completion.outcome else {
            Issue.record("it did not succeed")
            return
        }
        #expect(changes.removals == [try SitePath("old.html")])
    }

    @Test("What a program of the version before does not know is passed over by its rules: it sees no frame")
    func frameOfLater() throws {
        // Field 2000, a text: a kind of frame that nobody knows yet.
        let later: [UInt8] = [0x82, 0x7d, 0x01, 0x78]
        #expect(try Pagewright_Agent_V1_CoordinatorFrame(serializedBytes: later).frame == nil)
        #expect(try Pagewright_Agent_V1_AgentFrame(serializedBytes: later).frame == nil)
        // The same behind a frame that is known changes nothing of it.
        let both = try Self.bytes("cancel") + later
        let wire = try Pagewright_Agent_V1_CoordinatorFrame(serializedBytes: both)
        #expect(try CoordinatorMessage(wire: wire) == .cancel(Self.lease))
    }
}
