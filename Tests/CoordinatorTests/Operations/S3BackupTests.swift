import Artifacts
import ArtifactsS3
import Domain
import Foundation
import TestSupport
import Testing

@testable import Coordinator

/// Backups in a bucket, on SeaweedFS.
@Suite(.timeLimit(.minutes(5))) struct S3BackupTests {
    private static func rooms(
        _ body: @Sendable (BackupRooms, S3BackupPlace) async throws -> Void
    ) async throws {
        let server = try await S3Server.shared()
        let location = try S3Location(server.address(ofBucket: try await server.makeBucket(), prefix: "backups"))
        try await withTemporaryDirectory { folder in
            try await BackupDatabase.sqlite.with(folder) { database in
                let rooms = try await BackupRooms.open(folder, database)
                let credentials = try S3CredentialSource(
                    S3Credentials(accessKey: S3Server.accessKey, secretKey: S3Server.secretKey), pool: rooms.pool)
                try await body(
                    rooms,
                    S3BackupPlace(
                        location: location, credentials: credentials, pool: rooms.pool, clock: SystemClock(),
                        logger: BackupRooms.quiet))
            }
        }
    }

    /// As long as three parts and a piece; another one each time.
    private static func large() -> [UInt8] {
        [UInt8](repeating: 7, count: 26 << 20) + UUID().uuidString.utf8
    }

    @Test("What was lost comes back out of a bucket: rows, keys, small contents and one of many parts")
    func wholeLife() async throws {
        try await Self.rooms { rooms, place in
            let large = Self.large()
            let digest = ContentDigest(hashing: large)
            _ = try await rooms.blobs.put(large)
            let vault = try await rooms.vault(in: place)
            let run = try await rooms.backUp(vault)
            #expect(run.isGood && run.blobs == 6)
            #expect(run.place == place.address)
            #expect(try await rooms.drill(vault).isGood)
            try await BackupDatabase.sqlite.with(rooms.folder) { restored in
                let store = try await DirectoryBlobStore(directory: rooms.folder + "/new-blobs", pool: rooms.pool)
                let report = try await rooms.restore(vault, into: restored, blobs: store)
                #expect(report.rows == run.rows && report.broughtBlobs == 6 && report.missingBlobs.isEmpty)
                let files = try rooms.files
                #expect(report.files == files)
                #expect(try await store.read(digest, limit: 1 << 26) == large)
                let name = try await restored.read {
                    try await $0.query("SELECT name FROM site WHERE slug = 'bakery'")[0].text("name")
                }
                #expect(name == "Bäckerei")
            }
        }
    }

    @Test("Nobody who can read the bucket learns what is in it, and another passphrase opens nothing")
    func sealed() async throws {
        try await Self.rooms { rooms, place in
            _ = try await rooms.backUp(try await rooms.vault(in: place))
            let names = try await place.names(beginningWith: "") + place.names(beginningWith: "blobs/")
            #expect(names.count == 2 + 5)
            for name in names {
                let copy = rooms.folder + "/object"
                try await place.fetch(name, to: copy)
                let bytes = try Data(contentsOf: URL(filePath: copy))
                for secret in ["Bäckerei", "content ", "PRIVATE KEY", "ann@example.org", "INSERT"] {
                    #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name) shows \(secret)")
                }
            }
            let other = try await rooms.vault("another passphrase", in: place)
            try await BackupDatabase.sqlite.with(rooms.folder) { restored in
                let error = await #expect(throws: ServiceError.self) { try await rooms.restore(other, into: restored) }
                #expect(error?.rule == "passphrase-wrong")
            }
        }
    }

    @Test("Old backups leave the bucket with what only they had, all of its parts too")
    func retention() async throws {
        try await Self.rooms { rooms, place in
            let large = Self.large()
            _ = try await rooms.blobs.put(large)
            let vault = try await rooms.vault(in: place)
            _ = try await rooms.backUp(vault)
            try await rooms.blobs.unlink(ContentDigest(hashing: large))
            rooms.clock.advance(by: .seconds(40 * 86_400))
            let second = try await rooms.backUp(vault, days: 30)
            #expect(try await vault.names().map(\.text) == [second.name])
            let kept = try await vault.blobs()
            #expect(kept.count == 5 && !kept.contains(ContentDigest(hashing: large)))
            #expect(try await rooms.drill(vault).isGood)
            let digest = ContentDigest(hashing: large).text
            let error = await #expect(throws: ServiceError.self) {
                try await place.fetch("blobs/\(digest.prefix(2))/\(digest).pws", to: rooms.folder + "/object")
            }
            #expect(error?.code == .notFound)
        }
    }
}
