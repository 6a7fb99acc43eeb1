/// One event of a `text/event-stream`.
struct ServerSentEvent: Sendable, Equatable {
    var id: String?
    var kind = "message"
    var data = ""
}

/// Cuts a `text/event-stream` into events. Feed it lines without their line end.
struct ServerSentEventParser {
    private var event = ServerSentEvent()
    private var hasData = false

    /// Returns the event that this line ends.
    mutating func consume(line: Substring) -> ServerSentEvent? {
        if line.isEmpty {
            defer {
                event = ServerSentEvent()
                hasData = false
            }
            return hasData ? event : nil
        }
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return nil }
        var value = line[line.index(after: colon)...]
        if value.first == " " { value = value.dropFirst() }
        switch line[..<colon] {
        case "id": event.id = String(value)
        case "event": event.kind = String(value)
        case "data":
            event.data += (hasData ? "\n" : "") + value
            hasData = true
        default: break
        }
        return nil
    }
}
