package import Domain
import FoundationEssentials
package import Markup

/// What the checks need to know of one file. Depends on its bytes and its kind alone, so whoever checks often keeps
/// facts by the digest of the bytes, the ``FileKind`` and ``formatVersion``, and reads each content once.
package struct FileFacts: Codable, Sendable, Equatable {
    /// Grows whenever extraction finds something else than before: facts kept under another number are void.
    package static let formatVersion = 1

    /// Of an HTML page that could be read.
    package internal(set) var page: PageFacts?
    /// Of a style sheet.
    package internal(set) var stylesheet: StylesheetFacts?
    /// Of any other text: the program that it begins with.
    package internal(set) var serverCode: ServerCode?
    /// Why an HTML page could not be read: `too-large`, `too-complex`, `unreadable`.
    package internal(set) var unreadable: String?

    /// Of a page: where it loads things from besides its own site.
    package var origins: [String] { page?.thirdPartyOrigins ?? [] }

    /// Reads one file. Takes any bytes; costs time in proportion to them, up to limits.
    package static func extract(_ kind: FileKind, from bytes: [UInt8]) -> FileFacts {
        var facts = FileFacts()
        switch kind {
        case .page:
            do {
                facts.page = PageFacts(of: try HTMLDocument(parsing: bytes))
            } catch {
                facts.serverCode = ServerCode.opening(of: bytes)
                switch error {
                case .tooLarge: facts.unreadable = "too-large"
                case .tooComplex: facts.unreadable = "too-complex"
                case .unreadable: facts.unreadable = "unreadable"
                }
            }
        case .stylesheet:
            facts.stylesheet = StylesheetFacts(of: bytes)
            facts.serverCode = ServerCode.opening(of: bytes)
        case .text: facts.serverCode = ServerCode.opening(of: bytes)
        case .opaque: break
        }
        return facts
    }

    package static func extract(_ path: SitePath, from bytes: [UInt8]) -> FileFacts {
        extract(FileKind(of: path), from: bytes)
    }

    /// JSON, for a cache.
    package func encoded() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) }

    package init(encoded bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(FileFacts.self, from: Data(bytes))
    }

    init() {}
}
