import CHiredis
import NIOCore

/// One command, word by word.
package struct RedisCommand: Sendable, ExpressibleByArrayLiteral {
    package let words: [String]

    package init(_ words: [String]) { self.words = words }
    package init(arrayLiteral elements: String...) { words = elements }

    /// Runs a script of ours; its keys and arguments are `KEYS` and `ARGV` there.
    package static func evaluate(_ script: String, keys: [String], arguments: [String] = []) -> RedisCommand {
        RedisCommand(["EVAL", script, "\(keys.count)"] + keys + arguments)
    }

    /// The command as it goes over the wire; `nil` when there is no memory for it.
    func formatted(with allocator: ByteBufferAllocator) -> ByteBuffer? {
        let copies = words.map { word in
            var word = word
            return word.withUTF8 { bytes -> UnsafeMutablePointer<CChar> in
                let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
                for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
                copy[bytes.count] = 0
                return copy
            }
        }
        defer { for copy in copies { copy.deallocate() } }
        var arguments: [UnsafePointer<CChar>?] = copies.map { UnsafePointer($0) }
        let lengths = words.map { $0.utf8.count }
        var target: UnsafeMutablePointer<CChar>?
        let count = redisFormatCommandArgv(&target, Int32(words.count), &arguments, lengths)
        guard count >= 0, let target else { return nil }
        defer { redisFreeCommand(target) }
        var buffer = allocator.buffer(capacity: Int(count))
        buffer.writeBytes(UnsafeRawBufferPointer(start: target, count: Int(count)))
        return buffer
    }
}
