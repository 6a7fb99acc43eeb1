import Database
import Domain
import FoundationEssentials

/// Checks and boxes as JSON text in columns.
enum PageChecksRecord {
    private struct Check: Codable {
        var name: String
        var obstacle: String?
    }

    static func text(of checks: [PageChecks.Check]) throws -> String {
        try text(checks.map { Check(name: $0.name.rawValue, obstacle: $0.obstacle.isEmpty ? nil : $0.obstacle) })
    }

    static func checks(in text: String) throws -> [PageChecks.Check] {
        // A check that this program does not know was written by a newer one.
        try value([Check].self, in: text).compactMap { record in
            PageChecks.Check.Name(rawValue: record.name).map { PageChecks.Check($0, obstacle: record.obstacle ?? "") }
        }
    }

    /// Four numbers for each box.
    static func text(of boxes: [PagePicture.Box]) throws -> String {
        try text(boxes.map { [$0.x, $0.y, $0.width, $0.height] })
    }

    static func boxes(in text: String) throws -> [PagePicture.Box] {
        try value([[Int]].self, in: text).map { sides in
            guard sides.count == 4 else { throw SQLError(.badRow, "a box has \(sides.count) sides") }
            return PagePicture.Box(x: sides[0], y: sides[1], width: sides[2], height: sides[3])
        }
    }

    private static func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }

    private static func value<Value: Decodable>(_ type: Value.Type, in text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw SQLError(.badRow, "what a browser saw cannot be read: \(error)")
        }
    }
}
