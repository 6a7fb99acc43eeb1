import Glibc
@_spi(CustomByteBufferAllocator) import NIOCore

/// Memory for the buffers of connections that are quiet most of the time.
///
/// TLS and HTTP/2 keep buffers of 16 and 32 KiB for as long as a connection is open, and give no way to shrink them; an agent
/// that only says that it is alive fills a few hundred bytes of each. A buffer of such a size begins at the border of a page
/// here, so the pages of it that nothing was written to do not exist. When it is given back, so are all of its pages but the
/// first. Memory of other sizes is taken where all memory is.
enum QuietBuffers {
    static let allocator = ByteBufferAllocator(
        allocate: { QuietBuffers.allocate($0) },
        reallocate: { QuietBuffers.reallocate($0, from: $1, to: $2) },
        deallocate: { QuietBuffers.deallocate($0) },
        copy: { QuietBuffers.copy($1, to: $0, count: $2) })

    /// Addresses for 10,000 connections and more; what comes after that is taken where all memory is, too.
    private static let areas = [
        SlotArea(slotSizeInBytes: 16 << 10, slots: 32_768), SlotArea(slotSizeInBytes: 32 << 10, slots: 32_768),
    ].compactMap { $0 }

    private static func area(forSize size: Int) -> SlotArea? {
        areas.first { size <= $0.slotSizeInBytes && size > $0.slotSizeInBytes / 2 }
    }

    private static func area(of pointer: UnsafeMutableRawPointer) -> SlotArea? { areas.first { $0.contains(pointer) } }

    static func allocate(_ size: Int) -> UnsafeMutableRawPointer? { area(forSize: size)?.take() ?? malloc(size) }

    static func deallocate(_ pointer: UnsafeMutableRawPointer) {
        if let area = area(of: pointer) { area.giveBack(pointer) } else { free(pointer) }
    }

    /// A shared buffer that is written to is copied as a whole, also where nothing was ever written: these parts are looked
    /// at, which makes no page, and written only where they differ.
    static func copy(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int) {
        guard area(of: target) != nil else { return target.copyMemory(from: source, byteCount: count) }
        var position = 0
        while position < count {
            let step = min(piece, count - position)
            if !isZero(source + position, step) || !isZero(target + position, step) {
                (target + position).copyMemory(from: source + position, byteCount: step)
            }
            position += step
        }
    }

    /// The smallest page that there is.
    private static let piece = 4096

    private static func isZero(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        // Each byte is the same as the one before it, and the first one is 0.
        bytes.load(as: UInt8.self) == 0 && memcmp(bytes, bytes + 1, count - 1) == 0
    }

    static func reallocate(
        _ pointer: UnsafeMutableRawPointer?, from oldSize: Int, to newSize: Int
    ) -> UnsafeMutableRawPointer? {
        guard let pointer else { return allocate(newSize) }
        let area = area(of: pointer)
        if let area, newSize <= area.slotSizeInBytes { return pointer }
        if area == nil, Self.area(forSize: newSize) == nil { return realloc(pointer, newSize) }
        guard let new = allocate(newSize) else { return nil }
        new.copyMemory(from: pointer, byteCount: min(oldSize, newSize))
        deallocate(pointer)
        return new
    }
}
