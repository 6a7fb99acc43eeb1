import AgentProtocol
import Domain
import Foundation
import SwiftProtobuf
import Testing

struct RefusalTests {
    private func refuses(
        _ field: String, _ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: ServiceError.self, sourceLocation: sourceLocation) { try body() }
        #expect(error?.code == .invalidArgument, sourceLocation: sourceLocation)
        #expect(error?.field == field, sourceLocation: sourceLocation)
    }

    @Test("A generation that nothing can follow is refused")
    func lastGeneration() throws {
        var wire = Samples.statuses[0].wire
        wire.generation = .max
        #expect(throws: ServiceError.self) { _ = try SiteStatus(wire: wire) }
    }

    @Test("A lease with any wrong number is refused by its name")
    func leases() {
        let good = Samples.lease.wire
        refuses("lease.job_id") { _ = try JobLease(wire: modified(good) { $0.jobID = "site_1" }) }
        refuses("lease.attempt") { _ = try JobLease(wire: modified(good) { $0.attempt = 0 }) }
        refuses("lease.attempt") { _ = try JobLease(wire: modified(good) { $0.attempt = .max }) }
        refuses("lease.token") { _ = try JobLease(wire: modified(good) { $0.token = "short" }) }
        refuses("lease.fence") { _ = try JobLease(wire: modified(good) { $0.fence = -1 }) }
    }

    @Test("Unknown words are refused")
    func words() throws {
        refuses("roles") {
            _ = try AgentMessage(wire: .with { $0.hello = .with { $0.roles = ["king"] } })
        }
        refuses("engines") {
            _ = try AgentMessage(wire: .with { $0.hello = .with { $0.engines = ["steam"] } })
        }
        refuses("verdict") {
            _ = try CoordinatorMessage(
                wire: .with {
                    $0.verdict = .with {
                        $0.lease = Samples.lease.wire
                        $0.verdict = "maybe"
                    }
                })
        }
        refuses("failed.kind") {
            _ = try JobCompletion(
                wire: .with {
                    $0.lease = Samples.lease.wire
                    $0.failed = .with { $0.kind = "other" }
                })
        }
    }

    @Test("What is missing is refused")
    func missing() {
        refuses("frame") { _ = try AgentMessage(wire: .init()) }
        refuses("frame") { _ = try CoordinatorMessage(wire: .init()) }
        refuses("lease") { _ = try AgentMessage(wire: .with { $0.reject = .init() }) }
        refuses("lease") { _ = try JobCompletion(wire: .init()) }
        refuses("outcome") { _ = try JobCompletion(wire: .with { $0.lease = Samples.lease.wire }) }
        refuses("access") { _ = try BlobAccess(wire: .init()) }
        refuses("certificate_chain") {
            _ = try CertificateReply(
                wire: .with {
                    $0.hostID = HostID(at: Samples.now).text
                    $0.notAfterMs = 1
                })
        }
    }

    @Test("Paths that leave the site are refused", arguments: ["../x", "/etc/passwd", "a//b", "", "a\u{0}b", "a\\b"])
    func paths(path: String) {
        refuses("upserts.path") {
            _ = try ManifestReply(
                wire: .with {
                    $0.upserts = [
                        .with {
                            $0.path = path
                            $0.digest = Data(Samples.digest.bytes)
                        }
                    ]
                })
        }
        refuses("removals") { _ = try ManifestReply(wire: .with { $0.removals = [path] }) }
    }

    @Test("Digests, signatures and keys of another length are refused")
    func lengths() {
        refuses("live.digest") {
            _ = try DesiredSite(
                wire: modified(Samples.desired[0].wire) { $0.live.digest = Data(repeating: 0, count: 31) })
        }
        refuses("live.signature") {
            _ = try DesiredSite(wire: modified(Samples.desired[0].wire) { $0.live.signature = Data() })
        }
        refuses("version_keys") {
            _ = try CoordinatorMessage(
                wire: modified(Samples.coordinatorMessages[0].wire) { $0.welcome.versionKeys = [Data([1])] })
        }
        refuses("base") { _ = try ManifestReply(wire: .with { $0.base = Data([1]) }) }
    }

    @Test("Values that contradict each other are refused")
    func contradictions() {
        refuses("refusal") {
            _ = try SiteStatus(wire: modified(Samples.statuses[0].wire) { $0.refusal = "but no" })
        }
        refuses("refusal") { _ = try SiteStatus(wire: modified(Samples.statuses[0].wire) { $0.applied = false }) }
        refuses("removed") { _ = try DesiredSite(wire: modified(Samples.desired[0].wire) { $0.removed = true }) }
    }

    @Test("Numbers out of range are refused")
    func ranges() {
        refuses("heartbeat_interval_ms") {
            _ = try CoordinatorMessage(
                wire: modified(Samples.coordinatorMessages[0].wire) { $0.welcome.heartbeatIntervalMs = 0 })
        }
        refuses("delay_ms") {
            _ = try CoordinatorMessage(wire: .with { $0.goAway = .with { $0.delayMs = .max } })
        }
        refuses("percent") {
            _ = try AgentMessage(
                wire: .with {
                    $0.progress = .with {
                        $0.lease = Samples.lease.wire
                        $0.percent = 101
                    }
                })
        }
        refuses("slots") { _ = try AgentMessage(wire: .with { $0.credit = .with { $0.slots = -1 } }) }
        refuses("disk_free_bytes") {
            _ = try AgentMessage(wire: .with { $0.heartbeat = .with { $0.diskFreeBytes = -1 } })
        }
    }

    private func modified<Value>(_ value: Value, _ change: (inout Value) -> Void) -> Value {
        var value = value
        change(&value)
        return value
    }
}
