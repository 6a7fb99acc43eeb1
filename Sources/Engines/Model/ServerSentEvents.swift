/// One event of a stream.
struct ServerSentEvent: Sendable, Equatable {
    /// Empty when the stream gave it none.
    let name: String
    let data: String
}

/// Takes a stream of server-sent events apart, whatever pieces it comes in. Bounded: a line or an event that is too
/// long throws.
struct ServerSentEvents {
    struct TooLong: Error {}

    /// In bytes, of one line and of the data of one event.
    static let limit = 4 << 20

    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var isAfterReturn = false

    init() {}

    /// The events that are complete with these bytes.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            switch byte {
            case 0x0a where isAfterReturn:
                isAfterReturn = false
            case 0x0a, 0x0d:
                isAfterReturn = byte == 0x0d
                if let event = try endLine() { events.append(event) }
            default:
                isAfterReturn = false
                guard line.count < Self.limit else { throw TooLong() }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() throws(TooLong) -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty {
            defer {
                name = ""
                data.removeAll(keepingCapacity: true)
                hasData = false
            }
            guard hasData else { return nil }
            return ServerSentEvent(name: name, data: String(decoding: data, as: UTF8.self))
        }
        let colon = line.firstIndex(of: 0x3a) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data":
            guard data.count + value.count < Self.limit else { throw TooLong() }
            if hasData { data.append(0x0a) }
            data += value
            hasData = true
        // A comment, an id, a time to wait: of no meaning here.
        default: break
        }
        return nil
    }
}
