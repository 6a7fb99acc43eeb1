import Foundation
import TestSupport
import Testing

@testable import PagewrightCLI

struct CredentialStoreTests {
    private let session = Credentials.Session(
        email: "a@example.org", accessToken: "t", accessExpiresAt: Date(timeIntervalSince1970: 10), refreshToken: "r",
        refreshExpiresAt: Date(timeIntervalSince1970: 20))

    @Test("What was saved is read again, and only its owner may read it")
    func roundTrip() async throws {
        try await withTemporaryDirectory { path in
            let store = CredentialStore(directory: path + "/new/folder")
            #expect(try store.load() == Credentials())
            try await store.update { credentials in
                credentials.current = "http://x"
                credentials.servers["http://x:80"] = session
            }
            #expect(try store.load() == Credentials(current: "http://x", servers: ["http://x:80": session]))
            let attributes = try FileManager.default.attributesOfItem(atPath: path + "/new/folder/credentials.json")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        }
    }

    @Test("Changes at the same time are all kept")
    func concurrency() async throws {
        try await withTemporaryDirectory { path in
            let store = CredentialStore(directory: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask { try await store.update { $0.servers["http://\(number)"] = session } }
                }
                try await group.waitForAll()
            }
            #expect(try store.load().servers.count == 8)
        }
    }

    @Test("A broken file is an error that says what to do, never a silent log-out")
    func broken() async throws {
        try await withTemporaryDirectory { path in
            try Data("{".utf8).write(to: URL(filePath: path + "/credentials.json"))
            #expect(throws: CLIError.self) { try CredentialStore(directory: path).load() }
        }
    }

    @Test("PAGEWRIGHT_CONFIG names the folder")
    func environment() {
        #expect(CredentialStore(environment: ["PAGEWRIGHT_CONFIG": "/c", "HOME": "/h"]).directory == "/c")
        #expect(CredentialStore(environment: ["HOME": "/h"]).directory == "/h/.config/pagewright")
    }
}
