import BlockingIO
import Domain
import Foundation
import TestSupport
import Testing

@testable import Coordinator

@Suite struct AccountsSecretFileTests {
    private let pool = BlockingPool(label: "test.secrets", width: 4)

    @Test("A secret is made once, for its owner alone, also when many ask at once")
    func made() async throws {
        try await withTemporaryDirectory { directory in
            let file = SecretFile(path: directory + "/key")
            let secrets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try await file.contents(length: 32, on: pool) } }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(secrets.count == 1)
            #expect(secrets.first?.count == 32)
            let mode = try FileManager.default.attributesOfItem(atPath: directory + "/key")[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["key"])
        }
    }

    @Test("A secret that others may read is refused")
    func readable() async throws {
        try await withTemporaryDirectory { directory in
            let file = SecretFile(path: directory + "/key")
            _ = try await file.contents(length: 32, on: pool)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: directory + "/key")
            #expect(await refusal { try await file.contents(length: 32, on: pool) }?.code == .failedPrecondition)
        }
    }

    @Test("A secret that was cut short is refused")
    func short() async throws {
        try await withTemporaryDirectory { directory in
            let made = FileManager.default.createFile(
                atPath: directory + "/key", contents: Data([1]), attributes: [.posixPermissions: 0o600])
            #expect(made)
            let file = SecretFile(path: directory + "/key")
            #expect(await refusal { try await file.contents(length: 32, on: pool) } != nil)
        }
    }
}
