import NIOCore
import Testing

@testable import Redis

@Suite struct ReplyReaderTests {
    private static let answers =
        "+OK\r\n-NOSCRIPT no such script\r\n:-42\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n*0\r\n"
        + "*3\r\n$7\r\nmessage\r\n*2\r\n:1\r\n$-1\r\n+x\r\n"
    private static let replies: [RedisReply] = [
        .text("OK"), .refusal("NOSCRIPT no such script"), .integer(-42), .text("hello"), .nothing, .nothing, .list([]),
        .list([.text("message"), .list([.integer(1), .nothing]), .text("x")]),
    ]

    @Test("Answers are read in all their forms")
    func forms() throws {
        let reader = ReplyReader(limitInBytes: 1 << 20)
        #expect(try reader.read(ByteBuffer(string: Self.answers)) == Self.replies)
    }

    @Test("Answers may come in pieces of any size", arguments: 1...20)
    func pieces(size: Int) throws {
        let reader = ReplyReader(limitInBytes: 1 << 20)
        var rest = ByteBuffer(string: Self.answers)
        var replies: [RedisReply] = []
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(size, rest.readableBytes)) {
            replies += try reader.read(piece)
        }
        #expect(replies == Self.replies)
    }

    @Test(
        "What is not the protocol is refused",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", "*2147483647\r\n", "*5000\r\n", "$x\r\n", "*1\r\n!\r\n", "\0\0\0\0",
        ])
    func garbage(text: String) {
        #expect(throws: RedisError.self) {
            try ReplyReader(limitInBytes: 1 << 20).read(ByteBuffer(string: text))
        }
    }

    @Test("Lists in lists in lists end somewhere")
    func depth() {
        #expect(throws: RedisError.self) {
            try ReplyReader(limitInBytes: 1 << 20).read(ByteBuffer(string: String(repeating: "*1\r\n", count: 1000)))
        }
    }

    @Test("An answer that does not end is refused at the limit")
    func endless() {
        let reader = ReplyReader(limitInBytes: 100_000)
        #expect(throws: RedisError.self) {
            _ = try reader.read(ByteBuffer(string: "$2000000000\r\n"))
            for _ in 0..<3 { _ = try reader.read(ByteBuffer(repeating: 0x61, count: 50_000)) }
        }
    }

    @Test("Whatever comes, it ends with replies or a refusal", arguments: 0..<200)
    func fuzz(seed: Int) {
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let alphabet = Array("*$:+-\r\n0123456789aZ\0\u{80}".utf8)
        for _ in 0..<50 {
            let reader = ReplyReader(limitInBytes: 1 << 16)
            // Half of them are good answers with a few bytes changed.
            var bytes =
                next(2) == 0
                ? Array(Self.answers.utf8) : (0..<next(400)).map { _ in alphabet[next(alphabet.count)] }
            for _ in 0..<next(6) where !bytes.isEmpty {
                bytes[next(bytes.count)] = next(2) == 0 ? alphabet[next(alphabet.count)] : UInt8(next(256))
            }
            var rest = ByteBuffer(bytes: bytes)
            while rest.readableBytes > 0,
                let piece = rest.readSlice(length: min(1 + next(60), rest.readableBytes))
            {
                guard (try? reader.read(piece)) != nil else { break }
            }
        }
    }
}
