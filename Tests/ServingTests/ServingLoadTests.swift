import Domain
import Foundation
import Nginx
import Serving
import Synchronization
import TestSupport
import Testing

@Suite("Releases under load") struct ServingLoadTests {
    /// Visitors who come back at once, until told to stop, and look closely at each answer.
    final class Visitors: Sendable {
        private let address: NginxListenAddress
        private let isOver = Atomic(false)
        private let seen = Mutex<(answers: Int, wrong: [String])>((0, []))

        init(_ address: NginxListenAddress) { self.address = address }

        var answers: Int { seen.withLock(\.answers) }
        var wrong: [String] { seen.withLock(\.wrong) }
        func stop() { isOver.store(true, ordering: .relaxed) }

        /// Blocks a thread of its own, which is none of the pool's.
        func visit(_ path: String, isRight: @escaping @Sendable (LoopbackAnswer) -> Bool) async {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    while !self.isOver.load(ordering: .relaxed) { self.look(at: path, isRight) }
                    continuation.resume()
                }
            }
        }

        private func look(at path: String, _ isRight: (LoopbackAnswer) -> Bool) {
            let request = LoopbackRequest(
                to: address, host: "a.localhost", path: path, method: "GET", timeout: .seconds(20))
            let problem: String?
            do {
                let answer = try request.perform()
                problem =
                    isRight(answer) ? nil : "\(answer.status), \(answer.body.count) bytes, \(answer.text.prefix(40))"
            } catch {
                problem = "\(error)"
            }
            seen.withLock { seen in
                seen.answers += 1
                if let problem { seen.wrong.append(problem) }
            }
        }
    }

    @Test("Two hundred releases, and every answer is one version or the other, whole")
    func flips() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let big = String(repeating: "x", count: 20_000)
                let one = try await host.store(
                    ["index.html": "one\(big)one", "only-one.html": "1", "404.html": "none of one"], of: .test("a"),
                    as: 1)
                let two = try await host.store(
                    ["index.html": "two\(big)two", "404.html": "none of two"], of: .test("a"), as: 2)
                _ = try await host.settle(try .test("a", 1, live: one, previous: two))
                let visitors = Visitors(host.address)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            await visitors.visit("/") { answer in
                                let (name, version) =
                                    answer.text.hasPrefix("one") ? ("one", one.digest) : ("two", two.digest)
                                return answer.status == 200 && answer.body.count == 20_006
                                    && answer.text.hasSuffix(name)
                                    && answer.headers["x-pagewright-version"] == version.abbreviated
                            }
                        }
                    }
                    group.addTask {
                        await visitors.visit("/only-one") { answer in
                            (answer.status == 200 && answer.text == "1")
                                || (answer.status == 404 && answer.text == "none of two")
                        }
                    }
                    // Also when a release fails; nobody else would send them home.
                    defer { visitors.stop() }
                    let start = ContinuousClock.now
                    for flip in 2...201 {
                        let (live, previous) = flip.isMultiple(of: 2) ? (two, one) : (one, two)
                        let status = try await host.settle(
                            try .test("a", Int64(flip), live: live, previous: previous))
                        #expect(status.condition == .applied)
                    }
                    print("200 releases in \(start.duration(to: .now)), \(visitors.answers) answers meanwhile")
                    visitors.stop()
                    try await group.waitForAll()
                }
                #expect(visitors.wrong.isEmpty, "\(visitors.wrong.prefix(3))")
                #expect(visitors.answers > 100)
                #expect(await host.nginx.status.reloads == 0)
            }
        }
    }
}
