struct VersionBody: Decodable {
    struct Origin: Decodable {
        let kind: String
        let template: String?
        let jobId: String?
        let engine: String?

        var line: String { [kind, template ?? engine].compactMap(\.self).joined(separator: " ") }
    }

    let number: Int
    let digest: String
    let parent: Int?
    let origin: Origin
    let summary: String
    let files: Int
    let sizeBytes: Int64
    let findings: [FindingBody]
    let createdAt: String
    let isLive: Bool
    let isPreview: Bool

    var marks: String {
        [isLive ? "live" : nil, isPreview ? "preview" : nil].compactMap(\.self).joined(separator: ", ")
    }
}

struct DiffBody: Decodable {
    struct Content: Decodable {
        let sizeBytes: Int64
        let sha256: String
    }

    struct Text: Decodable {
        struct Piece: Decodable {
            let text: String
            let changed: Bool
        }

        struct Line: Decodable {
            let kind: String
            let pieces: [Piece]
            let hidden: Int
        }

        let state: String
        let lines: [Line]
    }

    struct Outline: Decodable {
        struct Change: Decodable {
            let sentence: String
        }

        let sentence: String
        let changes: [Change]
    }

    struct Delta: Decodable {
        let bytesBefore: Int64
        let bytesAfter: Int64
        let appeared: [FindingBody]
        let vanished: [FindingBody]
    }

    struct File: Decodable {
        let path: String
        let change: String
        let before: Content?
        let after: Content?
        var text: Text?
        var outline: Outline?

        var line: String {
            let sizes = [before, after].compactMap(\.self).map { Wording.size($0.sizeBytes) }.joined(separator: " -> ")
            return "\(change.padding(to: 8))  \(path)  \(sizes)"
        }
    }

    struct Screens: Decodable {
        struct Screen: Decodable {
            let version: Int
            let mediaType: String
            let sha256: String
        }

        struct Place: Decodable {}

        struct Pair: Decodable {
            let page: String
            let width: Int
            let before: Screen?
            let after: Screen?
            let inBefore: Bool
            let inAfter: Bool
            let same: Bool
            let changes: [Place]?
        }

        let pairs: [Pair]
        let absentBefore: [String]
        let absentAfter: [String]
    }

    let from: Int?
    let to: Int?
    let files: [File]
    var delta: Delta?
    var screens: Screens?
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
