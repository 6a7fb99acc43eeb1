import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// What a request carries. It can be sent twice.
enum RequestBody: Sendable {
    case none
    case json(Data)
    case file(path: String, sizeInBytes: Int64, contentType: String)

    static func json(_ value: some Encodable) throws -> RequestBody {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return .json(try encoder.encode(value))
    }

    func attach(to request: inout HTTPClientRequest) throws {
        switch self {
        case .none: break
        case .json(let data):
            request.headers.replaceOrAdd(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: data))
        case .file(let path, let size, let contentType):
            request.headers.replaceOrAdd(name: "content-type", value: contentType)
            request.body = .stream(FilePieces(path: path), length: .known(size))
        }
    }
}

/// The bytes of a file, 256 KiB at a time.
struct FilePieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    let path: String

    struct AsyncIterator: AsyncIteratorProtocol {
        let path: String
        private var handle: FileHandle?

        init(path: String) { self.path = path }

        mutating func next() async throws -> ByteBuffer? {
            if handle == nil {
                guard let opened = FileHandle(forReadingAtPath: path) else {
                    throw CLIError(.failed, "cannot read \(path)")
                }
                handle = opened
            }
            guard let piece = try handle?.read(upToCount: 256 << 10), !piece.isEmpty else { return nil }
            return ByteBuffer(bytes: piece)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(path: path) }
}
