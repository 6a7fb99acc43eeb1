import Glibc
import NIOCore
import Testing

@testable import AgentGateway

/// Buffers whose pages exist when something was written to them.
@Suite struct QuietBuffersTests {
    private static let page = sysconf(CInt(_SC_PAGESIZE))

    /// How many pages of a slot exist.
    private static func pages(_ area: SlotArea, at pointer: UnsafeMutableRawPointer) throws -> Int {
        var residency = [UInt8](repeating: 0, count: area.slotSizeInBytes / page)
        let result = mincore(pointer, area.slotSizeInBytes, &residency)
        try #require(result == 0)
        return residency.count { $0 & 1 == 1 }
    }

    @Test("A slot has the pages that were written to, and keeps one at most when it is given back")
    func pages() throws {
        let area = try #require(SlotArea(slotSizeInBytes: 32 << 10, slots: 8))
        let slot = try #require(area.take())
        #expect(try Self.pages(area, at: slot) == 0)
        slot.initializeMemory(as: UInt8.self, repeating: 1, count: 500)
        #expect(try Self.pages(area, at: slot) == 1)
        slot.initializeMemory(as: UInt8.self, repeating: 1, count: area.slotSizeInBytes)
        #expect(try Self.pages(area, at: slot) == area.slotSizeInBytes / Self.page)
        area.giveBack(slot)
        #expect(try Self.pages(area, at: slot) == 1)
        #expect(area.take() == slot)
    }

    @Test("Slots never overlap, and when all are taken there are no more")
    func exhaustion() throws {
        let area = try #require(SlotArea(slotSizeInBytes: 16 << 10, slots: 100))
        var taken: [UnsafeMutableRawPointer] = []
        while let slot = area.take() {
            #expect(area.contains(slot))
            taken.append(slot)
        }
        #expect(taken.count == 100 && Set(taken).count == 100)
        #expect(zip(taken.sorted(), taken.sorted().dropFirst()).allSatisfy { $1 - $0 >= area.slotSizeInBytes })
        for slot in taken {
            slot.initializeMemory(as: UInt8.self, repeating: 1, count: area.slotSizeInBytes)
            area.giveBack(slot)
        }
        // Some keep their first page, so that the next who takes one has it.
        let kept = try taken.map { try Self.pages(area, at: $0) }
        #expect(kept.reduce(0, +) == 64 && kept.max() == 1)
        var again: Set<UnsafeMutableRawPointer> = []
        while let slot = area.take() { again.insert(slot) }
        #expect(again == Set(taken))
    }

    @Test("A buffer keeps its bytes while it grows through all sizes")
    func growth() {
        var buffer = QuietBuffers.allocator.buffer(capacity: 64)
        var expected: [UInt8] = []
        for number in 0..<3000 {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number &* 31), count: 97)
            buffer.writeBytes(bytes)
            expected += bytes
        }
        #expect(buffer.getBytes(at: 0, length: buffer.readableBytes) == expected)
        buffer.clear(minimumCapacity: 20_000)
        buffer.writeBytes(expected.prefix(20_000))
        let copy = buffer
        buffer.setInteger(UInt8(255), at: 0)
        #expect(copy.getInteger(at: 0, as: UInt8.self) == expected[0])
    }

    @Test("A copy of a buffer has every byte, and ends where it is to end")
    func copies() throws {
        let area = try #require(SlotArea(slotSizeInBytes: 32 << 10, slots: 2))
        for written in [[0..<200], [0..<1, 20_000..<20_001], [4095..<4097], [0..<32_768]] as [[Range<Int>]] {
            let source = try #require(area.take())
            let copy = try #require(QuietBuffers.allocate(32 << 10))
            for range in written {
                (source + range.lowerBound).initializeMemory(as: UInt8.self, repeating: 7, count: range.count)
            }
            QuietBuffers.copy(source, to: copy, count: 32 << 10)
            #expect(memcmp(source, copy, 32 << 10) == 0)
            // What is there already is written over.
            copy.initializeMemory(as: UInt8.self, repeating: 9, count: 32 << 10)
            QuietBuffers.copy(source, to: copy, count: 30_000)
            #expect(memcmp(source, copy, 30_000) == 0)
            #expect(copy.load(fromByteOffset: 30_000, as: UInt8.self) == 9)
            QuietBuffers.deallocate(copy)
            area.giveBack(source)
        }
    }

    @Test("Many tasks that take and give back at once do not write into each other's buffers")
    func manyTasks() async {
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<16 {
                group.addTask {
                    let mark = UInt8(task + 1)
                    for round in 0..<40 {
                        let size = [100, 9000, 16_384, 30_000, 32_768, 60_000][(task + round) % 6]
                        var buffer = QuietBuffers.allocator.buffer(capacity: size)
                        buffer.writeRepeatingByte(mark, count: size)
                        await Task.yield()
                        guard buffer.readBytes(length: size) == [UInt8](repeating: mark, count: size) else {
                            return false
                        }
                    }
                    return true
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
