import Glibc
import Synchronization

/// A range of addresses that is handed out in slots of one size, each of whole pages. Addresses cost nothing: a page exists
/// from when it is first written to until its slot is given back.
final class SlotArea: Sendable {
    private struct Slots {
        /// Those from here on were never taken.
        var fresh: UInt32 = 0
        /// Given back, with their first page.
        var warm: [UInt32] = []
        /// Given back as a whole.
        var cold: [UInt32] = []
    }

    /// So many first pages wait to be used again.
    private static let warmLimit = 64

    let slotSizeInBytes: Int
    private let count: UInt32
    private let pageSizeInBytes: Int
    // Never changes, and is never unmapped.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer
    private let slots = Mutex(Slots())

    /// `nil` where a slot is not a number of pages, or addresses are not to be had.
    init?(slotSizeInBytes: Int, slots count: UInt32) {
        pageSizeInBytes = sysconf(CInt(_SC_PAGESIZE))
        guard pageSizeInBytes > 0, slotSizeInBytes.isMultiple(of: pageSizeInBytes),
            let start = mmap(
                nil, slotSizeInBytes * Int(count), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0), Int(bitPattern: start) != -1
        else { return nil }
        // One written byte is to be one small page.
        madvise(start, slotSizeInBytes * Int(count), MADV_NOHUGEPAGE)
        self.start = start
        self.slotSizeInBytes = slotSizeInBytes
        self.count = count
    }

    func contains(_ pointer: UnsafeMutableRawPointer) -> Bool {
        pointer >= start && pointer < start + slotSizeInBytes * Int(count)
    }

    /// `nil` when all are taken.
    func take() -> UnsafeMutableRawPointer? {
        let number = slots.withLock { slots -> UInt32? in
            if let number = slots.warm.popLast() ?? slots.cold.popLast() { return number }
            guard slots.fresh < count else { return nil }
            defer { slots.fresh += 1 }
            return slots.fresh
        }
        return number.map { start + Int($0) * slotSizeInBytes }
    }

    func giveBack(_ pointer: UnsafeMutableRawPointer) {
        let number = UInt32((pointer - start) / slotSizeInBytes)
        let keepsFirst = slots.withLock { $0.warm.count < Self.warmLimit }
        let kept = keepsFirst ? pageSizeInBytes : 0
        if kept < slotSizeInBytes { madvise(pointer + kept, slotSizeInBytes - kept, MADV_DONTNEED) }
        slots.withLock { slots in
            if keepsFirst { slots.warm.append(number) } else { slots.cold.append(number) }
        }
    }
}
