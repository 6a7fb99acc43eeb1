import Domain
import Hummingbird
import HummingbirdCore
import NIOCore

/// Reads the parts of a `multipart/form-data` body one after the other (RFC 7578), with little in memory.
struct MultipartReader {
    struct Head: Equatable {
        let name: String
    }

    private var pieces: RequestBody.AsyncIterator
    private var buffer: [UInt8] = Array("\r\n".utf8)
    private let delimiter: [UInt8]
    private var isInPart = false
    private var isAtEnd = false

    init(body: RequestBody, boundary: String) {
        pieces = body.makeAsyncIterator()
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// Goes to the next part, over the rest of this one; `nil` at the end.
    mutating func nextPart(limit: Int) async throws -> Head? {
        while isInPart { _ = try await nextPiece() }
        // What is before the first delimiter is nothing.
        if !isAtEnd, buffer.count < delimiter.count { try await fill(to: delimiter.count) }
        guard !isAtEnd else { return nil }
        if let range = Self.find(delimiter, in: buffer) { buffer.removeFirst(range + delimiter.count) }
        try await fill(to: 2)
        if buffer.prefix(2).elementsEqual(Array("--".utf8)) {
            isAtEnd = true
            return nil
        }
        var end = Self.find(Array("\r\n\r\n".utf8), in: buffer)
        while end == nil {
            guard buffer.count < limit, try await readMore() else { throw Self.malformed }
            end = Self.find(Array("\r\n\r\n".utf8), in: buffer)
        }
        guard let end, end <= limit else { throw Self.malformed }
        let head = String(decoding: buffer[..<end], as: UTF8.self)
        // The empty line's first line break may be the beginning of the delimiter of an empty part.
        buffer.removeFirst(end + 2)
        buffer.removeFirst(2)
        buffer.insert(contentsOf: Array("\r\n".utf8), at: 0)
        skipsLineBreak = true
        isInPart = true
        guard let name = Self.name(in: head) else { throw Self.malformed }
        return Head(name: name)
    }

    /// The two bytes before the content stand in the buffer, so that a delimiter is found right at its beginning.
    private var skipsLineBreak = false

    /// The next bytes of this part; `nil` at its end.
    mutating func nextPiece() async throws -> [UInt8]? {
        guard isInPart else { return nil }
        while true {
            if let place = Self.find(delimiter, in: buffer) {
                let piece = take(place)
                isInPart = false
                // The delimiter stays, for the next part.
                return piece.isEmpty ? nil : piece
            }
            let safe = buffer.count - delimiter.count + 1
            if safe > 2 { return take(safe) }
            guard try await readMore() else { throw Self.malformed }
        }
    }

    mutating func collectPart(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await nextPiece() {
            bytes += piece
            guard bytes.count <= limit else {
                throw ServiceError(.payloadTooLarge, "the form is too large", rule: "body-size")
            }
        }
        return bytes
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        var piece = Array(buffer[..<count])
        buffer.removeFirst(count)
        if skipsLineBreak {
            if piece.count >= 2 { piece.removeFirst(2) }
            skipsLineBreak = false
        }
        return piece
    }

    private mutating func fill(to count: Int) async throws {
        while buffer.count < count {
            guard try await readMore() else { throw Self.malformed }
        }
    }

    private mutating func readMore() async throws -> Bool {
        guard let piece = try await pieces.next(isolation: #isolation) else { return false }
        buffer.append(contentsOf: piece.readableBytesView)
        return true
    }

    private static func name(in head: String) -> String? {
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-disposition:") {
            guard let start = line.firstRange(of: " name=\"") else { return nil }
            return String(line[start.upperBound...].prefix { $0 != "\"" })
        }
        return nil
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count, let first = needle.first else { return nil }
        var index = 0
        let last = bytes.count - needle.count
        while index <= last {
            guard let hit = bytes[index...last].firstIndex(of: first) else { return nil }
            if bytes[hit..<hit + needle.count].elementsEqual(needle) { return hit }
            index = hit + 1
        }
        return nil
    }

    private static var malformed: ServiceError {
        ServiceError(.invalidArgument, "the form is not encoded properly", rule: "form-encoding")
    }
}
