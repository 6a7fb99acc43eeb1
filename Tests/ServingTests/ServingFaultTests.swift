import AgentCore
import Artifacts
import Domain
import Foundation
import Nginx
import Serving
import Synchronization
import TestSupport
import Testing

@Suite("Faults at every step") struct ServingFaultTests {
    /// Makes one step fail, when told to.
    final class Saboteur: Sendable {
        private let step = Mutex<ServingStep?>(nil)
        private let onStep = Mutex<(@Sendable (ServingStep) throws -> Void)?>(nil)

        func fail(at step: ServingStep?) { self.step.withLock { $0 = step } }
        func call(_ body: (@Sendable (ServingStep) throws -> Void)?) { onStep.withLock { $0 = body } }

        func observe(_ step: ServingStep) throws {
            try onStep.withLock(\.self)?(step)
            if self.step.withLock({ $0 == step }) {
                throw ServiceError(.internalError, "sabotage after \(step.rawValue)")
            }
        }
    }

    /// The second state differs in everything that can differ, and takes over a name of another site.
    private func states(_ host: ServingHost) async throws -> (first: DesiredSite, second: DesiredSite) {
        let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
        let two = try await host.store(["index.html": "two", "more.html": "more"], of: .test("a"), as: 2)
        return (
            try .test("a", 1, live: one, names: ["a.localhost", "old.example"]),
            try .test(
                "a", 2, live: two, preview: one, previous: one, names: ["a.localhost", "new.example", "taken.example"])
        )
    }

    private func other(_ host: ServingHost) async throws -> DesiredSite {
        let tree = try await host.store(["index.html": "other"], of: .test("b"), as: 1)
        return try .test("b", 1, live: tree, names: ["b.localhost", "taken.example"])
    }

    /// What visitors see under every name that is in play.
    private func view(_ host: ServingHost) throws -> [String: String] {
        var view: [String: String] = [:]
        for name in [
            "a.localhost", "a--preview.localhost", "old.example", "new.example", "taken.example", "b.localhost",
        ] {
            let answer = try host.get(name)
            view[name] = answer.status == 200 ? answer.text : "\(answer.status)"
        }
        return view
    }

    private let before = [
        "a.localhost": "one", "a--preview.localhost": "404", "old.example": "one", "new.example": "421",
        "taken.example": "other", "b.localhost": "other",
    ]
    private let after = [
        "a.localhost": "two", "a--preview.localhost": "one", "old.example": "421", "new.example": "two",
        "taken.example": "two", "b.localhost": "other",
    ]

    @Test(
        "A failure after any step leaves or brings back what was served, and the next attempt succeeds",
        arguments: ServingStep.allCases)
    func failure(step: ServingStep) async throws {
        try await withTemporaryDirectory { root in
            let saboteur = Saboteur()
            let settings = ServingSettings(firstRetry: .seconds(600), longestRetry: .seconds(600))
            let host = try await ServingHost(root, settings: settings) { step, _ in try saboteur.observe(step) }
            try await host.run {
                let (first, second) = try await states(host)
                _ = try await host.settle(try await other(host))
                _ = try await host.settle(first)
                try #expect(view(host) == before)
                saboteur.fail(at: step)
                let status = try await host.settle(second)
                if step == .namesDropped {
                    // All is served by then; there is nothing left to go back from.
                    #expect(status.condition == .applied)
                } else {
                    #expect(status.refusal?.contains("sabotage") == true)
                    try #expect(view(host) == before)
                    #expect(await host.inventory().map(\.generation) == [1, 1])
                }
                saboteur.fail(at: nil)
                await host.connect()
                if step != .namesDropped { try await #expect(host.outbox.next(.test("a"), 2).condition == .applied) }
                try #expect(view(host) == after)
                #expect(await host.inventory().map(\.generation) == [2, 1])
            }
        }
    }

    @Test("A host that is cut off after any step serves the old state or the new one when it is back, never a mix")
    func cutOff() async throws {
        try await withTemporaryDirectory { root in
            let saboteur = Saboteur()
            let host = try await ServingHost(root + "/host", remote: root + "/coordinator") { step, _ in
                try saboteur.observe(step)
            }
            let second = try await host.run {
                let (first, second) = try await states(host)
                _ = try await host.settle(try await other(host))
                _ = try await host.settle(first)
                // What is on the disk at each step is what a host that lost its power there finds.
                saboteur.call { step in
                    let copy = Process()
                    copy.executableURL = URL(filePath: "/bin/cp")
                    copy.arguments = ["-a", host.layout.root, "\(root)/\(step.rawValue)"]
                    try copy.run()
                    copy.waitUntilExit()
                    guard copy.terminationStatus == 0 else { throw ServiceError(.internalError, "cp failed") }
                }
                _ = try await host.settle(second)
                return second
            }
            for step in ServingStep.allCases {
                let folder = "\(root)/back-\(step.rawValue)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try FileManager.default.moveItem(atPath: "\(root)/\(step.rawValue)", toPath: folder + "/state")
                let back = try await ServingHost(folder, remote: root + "/coordinator")
                try await back.run(session: false) {
                    let inventory = await back.inventory()
                    let isNew = inventory.first?.generation == 2
                    var expected = isNew ? after : before
                    // Two sites claim this name until the other one hears of it; whoever has it shows itself.
                    let taken = try back.get("taken.example").text
                    #expect(isNew ? ["two", "other"].contains(taken) : taken == "other", "\(step)")
                    expected["taken.example"] = taken
                    try #expect(view(back) == expected, "\(step)")
                    #expect(isNew == (ServingStep.allCases.firstIndex(of: step)! >= 6), "\(step)")
                    for place in ["trees", "sites", "sites/\(SiteID.test("a"))", "domains"] {
                        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/state/\(place)")
                        #expect(!names.contains { $0.hasPrefix(".") }, "\(step): \(names)")
                    }
                    await back.connect()
                    try await #expect(back.settle(second).condition == .applied, "\(step)")
                    if !isNew { try #expect(view(back) == after, "\(step)") }
                }
            }
        }
    }

    @Test("An nginx that serves something else than it should is noticed before anybody is told")
    func probe() async throws {
        try await withTemporaryDirectory { root in
            let saboteur = Saboteur()
            let host = try await ServingHost(root) { step, _ in try saboteur.observe(step) }
            try await host.run {
                let (first, second) = try await states(host)
                _ = try await host.settle(first)
                let live = second.live!.digest
                saboteur.call { step in
                    // The front page is lost between building and switching.
                    guard step == .generationBuilt else { return }
                    try FileManager.default.removeItem(atPath: "\(host.layout.trees)/\(live)/more.html")
                    try FileManager.default.moveItem(
                        atPath: "\(host.layout.trees)/\(live)", toPath: "\(host.layout.trees)/elsewhere")
                    try FileManager.default.createDirectory(
                        atPath: "\(host.layout.trees)/\(live)/index.html", withIntermediateDirectories: true)
                }
                let status = try await host.settle(second)
                #expect(status.refusal?.contains("nginx answered") == true)
                try #expect(host.get("a.localhost").text == "one")
            }
        }
    }

    /// Needs the right to mount; without it this fails.
    @Test("A full disk refuses what is new, and goes on serving what is there")
    func fullDisk() async throws {
        try await withTemporaryDirectory { root in
            let state = root + "/host"
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
            func command(_ path: String, _ arguments: [String]) throws -> Int32 {
                let process = Process()
                process.executableURL = URL(filePath: path)
                process.arguments = arguments
                try process.run()
                process.waitUntilExit()
                return process.terminationStatus
            }
            try #require(command("/bin/mount", ["-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", state]) == 0)
            defer { _ = try? command("/bin/umount", ["-l", state]) }
            let host = try await ServingHost(state, remote: root + "/coordinator")
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: one))
                let large = try await host.store(
                    ["index.html": "two", "large.bin": String(repeating: "x", count: 5 << 20)], of: .test("a"), as: 2)
                let status = try await host.settle(try .test("a", 2, live: large))
                #expect(status.refusal?.contains("disk") == true && status.refusal?.contains("full") == true)
                try #expect(host.get("a.localhost").text == "one")
                // What needs no room is still done.
                try await #expect(host.settle(try .test("a", 3, live: one, maintenance: "soon")).condition == .applied)
                // Nothing half-made stays to fill the disk further.
                let trees = try FileManager.default.contentsOfDirectory(atPath: host.layout.trees)
                #expect(trees == [one.digest.text])
            }
        }
    }
}
