import CHiredis
import NIOCore

/// hiredis' parser, with replies of ours: a server can make it fail, and can make it hold no more than its bounds.
final class ReplyReader {
    /// How many elements one list may have.
    private static let elementLimit: Int32 = 4096

    /// A reply that is being put together. The parser holds the root; a list holds its elements.
    private final class Node {
        var value: RedisReply
        var elements: [Node]?

        init(_ value: RedisReply) {
            self.value = value
        }

        init(list capacity: Int) {
            value = .nothing
            elements = []
            elements?.reserveCapacity(capacity)
        }

        var reply: RedisReply {
            guard let elements else { return value }
            return .list(elements.map(\.reply))
        }
    }

    /// Written once, before the first reader; the parser only reads it.
    private nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        functions.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, bytes, count in
                    let text = String(
                        decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
                    let isRefusal = task?.pointee.type == REDIS_REPLY_ERROR
                    return ReplyReader.place(Node(isRefusal ? .refusal(text) : .text(text)), at: task)
                },
                createArray: { task, count in
                    guard (0...ReplyReader.elementLimit).contains(count) else { return nil }
                    return ReplyReader.place(Node(list: Int(count)), at: task)
                },
                createInteger: { task, number in ReplyReader.place(Node(.integer(number)), at: task) },
                createNil: { task in ReplyReader.place(Node(.nothing), at: task) },
                freeObject: { node in if let node { Unmanaged<Node>.fromOpaque(node).release() } }))
        return functions
    }()

    private static func place(_ node: Node, at task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer {
        guard let parent = task?.pointee.parent?.pointee.obj else {
            return Unmanaged.passRetained(node).toOpaque()
        }
        Unmanaged<Node>.fromOpaque(parent).takeUnretainedValue().elements?.append(node)
        return Unmanaged.passUnretained(node).toOpaque()
    }

    private let reader: UnsafeMutablePointer<redisReader>?
    private let limitInBytes: Int
    /// Since the last complete reply.
    private var bytesHeld = 0

    /// An answer of more than `limitInBytes` is refused.
    init(limitInBytes: Int) {
        reader = redisReaderCreateWithFunctions(Self.functions)
        self.limitInBytes = limitInBytes
    }

    deinit { redisReaderFree(reader) }

    /// Takes what came in and returns the replies that are complete now. After a throw the reader is of no more use.
    func read(_ bytes: ByteBuffer) throws(RedisError) -> [RedisReply] {
        guard let reader else { throw .malformed("there is no memory") }
        var replies: [RedisReply] = []
        var rest = bytes
        // In pieces, so that what the parser holds is bounded, whatever comes in one go.
        while let piece = rest.readSlice(length: min(rest.readableBytes, 64 << 10)), piece.readableBytes > 0 {
            bytesHeld += piece.readableBytes
            let isFed = piece.withUnsafeReadableBytes {
                redisReaderFeed(reader, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) == REDIS_OK
            }
            guard isFed else { throw failure(reader) }
            while true {
                var object: UnsafeMutableRawPointer?
                guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw failure(reader) }
                guard let object else { break }
                replies.append(Unmanaged<Node>.fromOpaque(object).takeRetainedValue().reply)
                bytesHeld = 0
            }
            guard bytesHeld <= limitInBytes else {
                throw .malformed("an answer has more than \(limitInBytes) bytes")
            }
        }
        return replies
    }

    private func failure(_ reader: UnsafeMutablePointer<redisReader>) -> RedisError {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return .malformed(text.isEmpty ? "an answer that is too large" : text)
    }
}
