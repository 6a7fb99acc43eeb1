import AgentCore
import Domain
import Foundation
import Serving
import TestSupport
import Testing

/// What people can do on a host without the coordinator.
@Suite("The serving role, by itself") struct ServingLocalTests {
    private static func decode<Value: Decodable>(_ bytes: [UInt8]?, as type: Value.Type = Value.self) throws -> Value {
        try AgentStatus.decoder.decode(Value.self, from: Data(try #require(bytes)))
    }

    @Test("A roll-back without a coordinator shows the release before, is told, and ends with the next release")
    func rollback() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                let two = try await host.store(["index.html": "two"], of: .test("a"), as: 2)
                _ = try await host.settle(try .test("a", 1, live: one))
                let asked = try await host.settle(try .test("a", 2, live: two, previous: one))
                await host.role.sessionClosed()

                _ = try await host.role.rollBack("a.localhost", to: nil, isUndo: false)
                try #expect(host.get("a.localhost").text == "one")
                let told = try #require(await host.inventory().first)
                #expect(told.generation == 2 && told.localVersion == one.number && told.digest != asked.digest)
                let line = try #require(await host.report().sites.first)
                #expect(line.version == 1 && line.wantedVersion == 2)

                _ = try await host.role.rollBack("a.localhost", to: nil, isUndo: true)
                try #expect(host.get("a.localhost").text == "two")
                #expect(await host.inventory().first?.localVersion == nil)
                #expect(await host.inventory().first?.digest == asked.digest)

                _ = try await host.role.rollBack("a.localhost", to: 1, isUndo: false)
                await host.connect()
                // The coordinator says once more what it said before: that is no conflict.
                let again = try await host.settle(try .test("a", 2, live: two, previous: one))
                #expect(again.condition == .applied && again.localVersion == one.number)
                let next = try await host.settle(try .test("a", 3, live: two, previous: one))
                #expect(next.localVersion == nil)
                try #expect(host.get("a.localhost").text == "two")
            }
        }
    }

    @Test("A local roll-back outlives the agent")
    func restart() async throws {
        try await withTemporaryDirectory { root in
            let first = try await ServingHost(root)
            try await first.run {
                let one = try await first.store(["index.html": "one"], of: .test("a"), as: 1)
                let two = try await first.store(["index.html": "two"], of: .test("a"), as: 2)
                _ = try await first.settle(try .test("a", 1, live: one))
                _ = try await first.settle(try .test("a", 2, live: two, previous: one))
                _ = try await first.role.rollBack("a.localhost", to: nil, isUndo: false)
            }
            let second = try await ServingHost(root)
            try await second.run(session: false) {
                try #expect(second.get("a.localhost").text == "one")
                #expect(await second.inventory().first?.localVersion?.rawValue == 1)
            }
        }
    }

    @Test("There is no way back to a version that is not on the host")
    func unknown() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: one))
                for version in [nil, 7] {
                    await #expect(throws: ServiceError.self) {
                        try await host.role.rollBack("a.localhost", to: version, isUndo: false)
                    }
                }
                await #expect(throws: ServiceError.self) {
                    try await host.role.rollBack("a.localhost", to: nil, isUndo: true)
                }
                try #expect(host.get("a.localhost").text == "one")
            }
        }
    }

    @Test("Verifying finds a changed file and leaves it; the plan of the clean-up names what nothing needs")
    func verifyAndPlan() async throws {
        try await withTemporaryDirectory { root in
            let host = try await ServingHost(root)
            try await host.run {
                let one = try await host.store(["index.html": "one"], of: .test("a"), as: 1)
                _ = try await host.settle(try .test("a", 1, live: one))
                let good: LocalVerification = try Self.decode(
                    try await host.role.answer(LocalRequest(.verify, site: "a.localhost")))
                #expect(good.sites.map(\.damage) == [[]])
                let file = "\(host.layout.root)/trees/\(one.digest)/index.html"
                _ = chmod(file, 0o644)
                try Data("0ne".utf8).write(to: URL(filePath: file), options: [])
                let bad: LocalVerification = try Self.decode(try await host.role.answer(LocalRequest(.verify)))
                #expect(bad.sites.first?.damage == ["changed index.html"])
                let plan: LocalCollectionPlan = try Self.decode(
                    try await host.role.answer(LocalRequest(.collectionPlan)))
                #expect(plan.trees.isEmpty && plan.generations.isEmpty)
                #expect(try await host.role.answer(LocalRequest(.drain)) == nil)
            }
        }
    }
}
