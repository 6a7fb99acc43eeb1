import Domain

/// Bytes that come in order and can be had once. Blocks.
protocol ByteSource: AnyObject {
    /// Fills `buffer` from its beginning and returns how much it filled; zero only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteSource {
    /// Fills all of `buffer`, or what is left until the end.
    func readFully(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}
