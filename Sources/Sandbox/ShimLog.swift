import FoundationEssentials
import Glibc
import SwiftProtobuf

/// Reads what a task printed out of its shim's log, as lines, from the beginning on. Every call blocks.
final class ShimLog {
    private let file: OwnedDescriptor
    private var unread: [UInt8] = []
    /// Of the file: everything before was read.
    private var readPosition: Int64 = 0
    private var output = LineSplitter()
    private var errors = LineSplitter()

    init(folder: String) throws(SystemFailure) {
        file = try OwnedDescriptor.open(folder + "/output", flags: O_RDONLY | O_NOFOLLOW)
    }

    /// Hands out the lines that are complete, each with the place in the log up to which it and all before it were read.
    func read(_ body: (SandboxOutput, Int64) -> Void) throws {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file.number, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemFailure("reading the output of a task", errno) }
            if count == 0 { return }
            unread += buffer[..<count]
            readPosition += Int64(count)
            try readRecords(body)
        }
    }

    /// Hands out what came after the last line end.
    func finish(_ body: (SandboxOutput, Int64) -> Void) {
        output.finish { body(.line($0), readPosition) }
        errors.finish { body(.diagnostic($0), readPosition) }
    }

    private func readRecords(_ body: (SandboxOutput, Int64) -> Void) throws {
        var place = 0
        let start = readPosition - Int64(unread.count)
        while unread.count - place >= 4 {
            let size = (0..<4).reduce(0) { $0 | Int(unread[place + $1]) << (8 * $1) }
            guard size <= ShimFrame.largestRecord else { throw SystemFailure("reading the output of a task", EBADMSG) }
            guard unread.count - place - 4 >= size else { break }
            let record = try ShimFrame.LogRecord(serializedBytes: Array(unread[(place + 4)..<(place + 4 + size)]))
            place += 4 + size
            hand(record, position: start + Int64(place), body)
        }
        unread.removeFirst(place)
    }

    private func hand(_ record: ShimFrame.LogRecord, position: Int64, _ body: (SandboxOutput, Int64) -> Void) {
        switch record.source {
        case .standardOutput:
            record.data.withUnsafeBytes { bytes in output.add(bytes) { body(.line($0), position) } }
        case .standardError:
            record.data.withUnsafeBytes { bytes in errors.add(bytes) { body(.diagnostic($0), position) } }
        case .gap:
            // The halves of two lines are not one line.
            output.finish { body(.line($0), position) }
            errors.finish { body(.diagnostic($0), position) }
            body(.diagnostic("[\(record.droppedBytes) bytes of the output were dropped here]"), position)
        case .unspecified, .UNRECOGNIZED: break
        }
    }
}
