package import BlockingIO
import Domain
import FleetIdentity
import FoundationEssentials

/// A small file that is kept out of backups and remembers how far the database was. A restored database is behind it.
///
/// It is written after the database, so it is never ahead of one that was not restored.
package struct Sidecar: Sendable {
    private static let name = "memory.json"

    private let folder: DurableFolder
    private let pool: BlockingPool

    private struct Record: Codable {
        var format = 1
        var mark: String
        var incarnation: Int16
        var position: Int64
    }

    /// `directory` is made when it is missing, with a tag that tells backup programs to leave it out.
    package init(directory: String, pool: BlockingPool) {
        folder = DurableFolder(path: directory)
        self.pool = pool
    }

    /// `nil` when there is none, or none that can be read: then this machine remembers nothing.
    func load() async throws -> DatabaseMemory? {
        try await pool.run { [folder] in
            guard let bytes = try? folder.read(Self.name),
                let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)), record.format == 1
            else { return nil }
            return DatabaseMemory(
                mark: record.mark, incarnation: Incarnation(rawValue: record.incarnation), position: record.position)
        }
    }

    func save(_ memory: DatabaseMemory) async throws {
        let record = Record(
            mark: memory.mark, incarnation: memory.incarnation.rawValue, position: memory.position)
        let bytes = Array(try JSONEncoder().encode(record))
        try await pool.run { [folder] in
            try folder.create()
            if (try? folder.read("CACHEDIR.TAG")) ?? nil == nil {
                let tag = """
                    Signature: 8a477f597d28d172789f06886806bc55
                    # This folder must not be in a backup: by it Pagewright finds out that its database was restored.

                    """
                try folder.write(Array(tag.utf8), to: "CACHEDIR.TAG")
            }
            try folder.write(bytes, to: Self.name)
        }
    }
}
