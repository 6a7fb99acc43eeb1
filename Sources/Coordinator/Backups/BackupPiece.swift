import Database
import Domain
import FoundationEssentials
import Persistence

/// What a backup is made of, as bytes: a kind, a length of 4 bytes, the content.
enum BackupPiece: Sendable {
    /// First of all.
    struct Head: Codable, Sendable {
        var format = 1
        var createdAt: Int64
        var program: String
        /// The number of the newest migration that the rows belong to.
        var schema: Int
        /// Whether the content of the blobs is kept beside the backup.
        var hasBlobs: Bool
    }

    /// Last of all.
    struct Summary: Codable, Sendable, Equatable {
        var rows = 0
        var files = 0
        var blobs = 0
        var blobBytes: Int64 = 0
    }

    struct Table: Codable {
        var name: String
        var columns: [String]
    }

    struct TableEnd: Codable {
        var name: String
        var rows: Int
        var digest: String
    }

    case head(Head)
    case file(BackupFile)
    case dump(DatabaseDump.Piece)
    case blobs([BackupBlob])
    case end(Summary)

    private enum Kind: UInt8 {
        case head = 1
        case file, table, rows, tableEnd, blobs, end
    }

    private static let largest = 64 << 20

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let kind: Kind
        let body: [UInt8]
        switch self {
        case .head(let head): (kind, body) = (.head, Array(try encoder.encode(head)))
        case .file(let file):
            kind = .file
            body = Self.field(Array(file.name.utf8)) + Self.field(file.content)
        case .dump(.table(let name, let columns)):
            (kind, body) = (.table, Array(try encoder.encode(Table(name: name, columns: columns))))
        case .dump(.rows(let rows)):
            kind = .rows
            var bytes = Self.integer(Int64(rows.count))
            for row in rows {
                bytes += Self.integer(Int64(row.count))
                for value in row { bytes += Self.value(value) }
            }
            body = bytes
        case .dump(.end(let name, let rows, let digest)):
            (kind, body) = (.tableEnd, Array(try encoder.encode(TableEnd(name: name, rows: rows, digest: digest))))
        case .blobs(let blobs):
            kind = .blobs
            body = blobs.flatMap { $0.digest.bytes + Self.integer($0.sizeInBytes) }
        case .end(let summary): (kind, body) = (.end, Array(try encoder.encode(summary)))
        }
        return [kind.rawValue] + Self.length(body.count) + body
    }

    private static func length(_ count: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
    }

    private static func field(_ bytes: [UInt8]) -> [UInt8] { length(bytes.count) + bytes }

    private static func integer(_ value: Int64) -> [UInt8] {
        stride(from: Int64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func value(_ value: SQLValue) -> [UInt8] {
        switch value {
        case .null: [0]
        case .integer(let number): [1] + integer(number)
        case .text(let text): [2] + field(Array(text.utf8))
        case .blob(let bytes): [3] + field(bytes)
        }
    }

    /// Reads the next piece; `read` gives so many bytes, fewer at the end. `nil` at the end.
    static func next(_ read: (Int) throws -> [UInt8]) throws -> BackupPiece? {
        let start = try read(5)
        if start.isEmpty { return nil }
        guard start.count == 5, let kind = Kind(rawValue: start[0]) else {
            throw unreadable("a piece of no known kind")
        }
        let count = start.dropFirst().reduce(0) { $0 << 8 | Int($1) }
        guard count <= largest else { throw unreadable("a piece that is too long") }
        let body = try read(count)
        guard body.count == count else { throw unreadable("half a piece") }
        let decoder = JSONDecoder()
        do {
            switch kind {
            case .head: return .head(try decoder.decode(Head.self, from: Data(body)))
            case .file:
                var cursor = Cursor(body)
                return .file(
                    BackupFile(
                        name: String(decoding: try cursor.field(), as: UTF8.self), content: try cursor.field()))
            case .table:
                let table = try decoder.decode(Table.self, from: Data(body))
                return .dump(.table(name: table.name, columns: table.columns))
            case .rows:
                var cursor = Cursor(body)
                var rows: [[SQLValue]] = []
                for _ in 0..<(try cursor.count()) {
                    var row: [SQLValue] = []
                    for _ in 0..<(try cursor.count()) { row.append(try cursor.value()) }
                    rows.append(row)
                }
                return .dump(.rows(rows))
            case .tableEnd:
                let end = try decoder.decode(TableEnd.self, from: Data(body))
                return .dump(.end(name: end.name, rows: end.rows, digest: end.digest))
            case .blobs:
                var cursor = Cursor(body)
                var blobs: [BackupBlob] = []
                while !cursor.isAtEnd {
                    guard let digest = ContentDigest(bytes: try cursor.take(32)) else { throw unreadable("a digest") }
                    blobs.append(BackupBlob(digest: digest, sizeInBytes: try cursor.integer()))
                }
                return .blobs(blobs)
            case .end: return .end(try decoder.decode(Summary.self, from: Data(body)))
            }
        } catch is DecodingError {
            throw unreadable("a piece that is not what it should be")
        }
    }

    static func unreadable(_ what: String) -> ServiceError {
        ServiceError(
            .validationFailed, "the backup cannot be read: it has \(what)", rule: "backup-format",
            nextStep: "Restore it with the version of the program that made it, or use another backup.")
    }

    private struct Cursor {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        mutating func take(_ count: Int) throws -> [UInt8] {
            guard count >= 0, count <= bytes.count - position else { throw BackupPiece.unreadable("half a value") }
            defer { position += count }
            return Array(bytes[position..<position + count])
        }

        mutating func integer() throws -> Int64 {
            Int64(bitPattern: try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }

        mutating func count() throws -> Int {
            let value = try integer()
            guard (0...1_000_000).contains(value) else { throw BackupPiece.unreadable("an impossible count") }
            return Int(value)
        }

        mutating func field() throws -> [UInt8] { try take(try take(4).reduce(0) { $0 << 8 | Int($1) }) }

        mutating func value() throws -> SQLValue {
            switch try take(1)[0] {
            case 0: .null
            case 1: .integer(try integer())
            case 2: .text(String(decoding: try field(), as: UTF8.self))
            case 3: .blob(try field())
            default: throw BackupPiece.unreadable("a value of no known kind")
            }
        }
    }
}

/// A small file that belongs to a backup: a key, or the configuration.
package struct BackupFile: Sendable, Equatable {
    /// Such as `ca/ca.key`: what it is, not where it was.
    package let name: String
    package let content: [UInt8]

    package init(name: String, content: [UInt8]) {
        self.name = name
        self.content = content
    }
}

/// A blob that was there when the backup was made.
struct BackupBlob: Sendable, Hashable {
    let digest: ContentDigest
    let sizeInBytes: Int64
}
