import AgentProtocol
import Domain
import SwiftProtobuf
import Testing

struct MutatedFrameTests {
    @Test("Frames with bytes changed, cut or doubled are read or refused, and nothing crashes", arguments: 1...20)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let agent = try Samples.agentMessages.map { try $0.wire.serializedBytes() as [UInt8] }
        let coordinator = try Samples.coordinatorMessages.map { try $0.wire.serializedBytes() as [UInt8] }
        for _ in 0..<1000 {
            let left = mutated(agent.randomElement(using: &generator)!, using: &generator)
            if let frame = try? Pagewright_Agent_V1_AgentFrame(serializedBytes: left) {
                try expectProper {
                    try AgentMessage(wire: frame)
                } encode: {
                    $0.wire
                } again: {
                    try AgentMessage(wire: $0)
                }
            }
            let right = mutated(coordinator.randomElement(using: &generator)!, using: &generator)
            if let frame = try? Pagewright_Agent_V1_CoordinatorFrame(serializedBytes: right) {
                try expectProper {
                    try CoordinatorMessage(wire: frame)
                } encode: {
                    $0.wire
                } again: {
                    try CoordinatorMessage(wire: $0)
                }
            }
            if let value = try? JobCompletion(serialized: left) { #expect(try !value.serialized().isEmpty) }
        }
    }

    /// What was read is written and read as the same; what was not is refused with a field.
    private func expectProper<Value: Equatable, Wire>(
        _ read: () throws -> Value, encode: (Value) -> Wire, again: (Wire) throws -> Value
    ) throws {
        do {
            let value = try read()
            #expect(try again(encode(value)) == value)
        } catch let error as ServiceError {
            #expect(error.code == .invalidArgument)
            #expect(error.field != nil)
        }
    }

    private func mutated(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            guard !bytes.isEmpty else { return bytes }
            let index = Int.random(in: bytes.indices, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 2: bytes.removeSubrange(index...)
            case 3: bytes.insert(contentsOf: bytes[index...].prefix(16), at: index)
            default: bytes.remove(at: index)
            }
        }
        return bytes
    }
}
