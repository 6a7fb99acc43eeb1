import Testing

@testable import Domain

@Suite struct MemoryCheckTests {
    private func memory(_ position: Int64, _ incarnation: Int16 = 0, mark: String = "a") -> DatabaseMemory {
        DatabaseMemory(mark: mark, incarnation: Incarnation(rawValue: incarnation), position: position)
    }

    private func isDoubtful(_ finding: MemoryCheck.Finding) -> Bool {
        if case .doubtful = finding { true } else { false }
    }

    @Test("A database that was never used is new, whatever the machine remembers")
    func new() {
        #expect(
            MemoryCheck.compare(database: memory(0, mark: ""), remembered: nil, storage: nil, knownStorage: "") == .new)
    }

    @Test("A database that is as far as remembered, or farther, is the same")
    func same() {
        for position: Int64 in [5, 6] {
            #expect(
                MemoryCheck.compare(
                    database: memory(position), remembered: memory(5), storage: "s/1", knownStorage: "s/1") == .same)
        }
    }

    @Test("A database that lacks something remembered is doubtful, on any server")
    func behind() {
        for storage in [nil, "s/1", "s/2"] {
            #expect(
                MemoryCheck.compare(
                    database: memory(4), remembered: memory(5), storage: storage, knownStorage: "s/1")
                    == .doubtful("The database lacks the last 1 events that were recorded."))
        }
    }

    @Test("A promotion that lost nothing known raises the incarnation and no doubt")
    func promotion() {
        #expect(
            MemoryCheck.compare(database: memory(5), remembered: memory(5), storage: "s/2", knownStorage: "s/1")
                == .moved)
    }

    @Test("A recovery that another coordinator accepted is believed, an older incarnation is not")
    func incarnations() {
        #expect(
            MemoryCheck.compare(database: memory(2, 1), remembered: memory(9, 0), storage: nil, knownStorage: "")
                == .same)
        #expect(
            isDoubtful(
                MemoryCheck.compare(database: memory(20, 0), remembered: memory(9, 1), storage: nil, knownStorage: "")))
    }

    @Test("Without a memory a file is doubtful, and a server only when it moved")
    func noMemory() {
        #expect(
            isDoubtful(MemoryCheck.compare(database: memory(5), remembered: nil, storage: nil, knownStorage: "")))
        #expect(
            MemoryCheck.compare(database: memory(5), remembered: nil, storage: "s/1", knownStorage: "s/1") == .same)
        #expect(
            isDoubtful(MemoryCheck.compare(database: memory(5), remembered: nil, storage: "s/2", knownStorage: "s/1")))
    }
}
