import Foundation
import Testing

/// The manifest is the map of the house; the sources must agree with it, and every arrow points down.
@Suite struct ImportTests {
    /// Arrows within one line of the map, and why each is right.
    private static let sideways: [String: Set<String>] = [
        // An archive is read into a blob store and written from one; nothing else knows both.
        "Archives": ["Artifacts"]
    ]

    @Test("The manifest is understood: seven lines of targets, C libraries below them, then the tests")
    func understood() throws {
        let house = try House()
        #expect(Set(house.rooms.compactMap(\.level)) == Set(0...7))
        #expect(house.room("Domain")?.level == 2)
        #expect(house.room("Domain")?.neighbours == [])
        #expect(house.room("CGumbo")?.level == 0)
        #expect(house.room("Coordinator")?.products.contains("JWTKit") == true)
        #expect(house.room("HouseTests")?.isTest == true)
        #expect(house.room("TestSupport")?.isTest == true)
        for room in house.rooms {
            #expect(FileManager.default.fileExists(atPath: room.folder.path), "\(room.name) has no folder")
        }
    }

    @Test("Every target imports exactly the neighbours that it declares")
    func importsAgreeWithManifest() throws {
        let house = try House()
        let ours = Set(house.rooms.map(\.name))
        for room in house.rooms where !room.isTest && !room.isC {
            let imported = try Self.imported(by: room)
            let missing = imported.intersection(ours).subtracting(room.neighbours).sorted()
            let unused = room.neighbours.subtracting(imported).sorted()
            #expect(missing.isEmpty, "\(room.name) imports what Package.swift does not declare for it")
            #expect(unused.isEmpty, "Package.swift declares for \(room.name) what it does not import")
        }
    }

    @Test("Every target declares the libraries that it imports")
    func importsDeclaredLibraries() throws {
        let house = try House()
        for room in house.rooms where !room.isC {
            let missing = try Self.imported(by: room).intersection(house.productModules).subtracting(room.products)
            #expect(missing.sorted().isEmpty, "\(room.name) imports what Package.swift does not declare for it")
        }
    }

    @Test("Tests import only what they declare")
    func testsAgreeWithManifest() throws {
        let house = try House()
        let ours = Set(house.rooms.map(\.name))
        for room in house.rooms where room.isTest {
            let missing = try Self.imported(by: room).intersection(ours).subtracting(room.neighbours)
            #expect(missing.sorted().isEmpty, "\(room.name) imports what Package.swift does not declare for it")
        }
    }

    @Test("An arrow points to a lower line of the map")
    func arrowsPointDown() throws {
        let house = try House()
        for room in house.rooms {
            guard let level = room.level else { continue }
            for name in room.neighbours.sorted() {
                let neighbour = try #require(house.room(name), "\(room.name) declares \(name), which is no target")
                let other = try #require(neighbour.level, "\(room.name) must not depend on \(name), which is for tests")
                let isException = other == level && Self.sideways[room.name]?.contains(name) == true
                #expect(other < level || isException, "\(room.name) depends on \(name)")
            }
        }
    }

    @Test("Every exception to the direction of arrows is still needed")
    func exceptionsAreNeeded() throws {
        let house = try House()
        for (name, neighbours) in Self.sideways {
            let room = try #require(house.room(name))
            #expect(neighbours.isSubset(of: room.neighbours), "\(name) no longer needs its exception")
        }
    }

    @Test(
        "Import lines are read in all their forms",
        arguments: [
            ("import NIOCore", ["NIOCore"]),
            ("package import Domain", ["Domain"]),
            ("@testable import Serving", ["Serving"]),
            ("import struct Logging.Logger", ["Logging"]),
            ("@preconcurrency package import GRPCCore", ["GRPCCore"]),
            ("// import Domain", []),
            ("/// We import Domain", []),
            (
                "#if canImport(FoundationEssentials)\nimport FoundationEssentials\n#else\nimport Foundation\n#endif",
                ["FoundationEssentials"]
            ),
        ])
    func forms(text: String, modules: [String]) {
        #expect(House.imports(of: text) == Set(modules))
    }

    private static func imported(by room: House.Room) throws -> Set<String> {
        try House.swiftFiles(in: room.folder).reduce(into: []) { $0.formUnion(House.imports(of: $1.text)) }
    }
}
