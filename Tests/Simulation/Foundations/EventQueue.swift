/// What is to happen, by time, and by the order of planning among equals: a binary heap of places in a table.
struct EventQueue<Event> {
    private struct Entry {
        let time: Int64
        let sequence: Int32
        let place: Int32

        func precedes(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var free: [Int32] = []
    private var nextSequence: Int32 = 0

    mutating func insert(_ event: Event, at time: Int64) {
        let place: Int32
        if let reused = free.popLast() {
            place = reused
            events[Int(place)] = event
        } else {
            place = Int32(events.count)
            events.append(event)
        }
        heap.append(Entry(time: time, sequence: nextSequence, place: place))
        nextSequence += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> (time: Int64, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        let place = Int(first.place)
        let event = events[place]!
        events[place] = nil
        free.append(first.place)
        return (first.time, event)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            if left < heap.count, heap[left].precedes(heap[least]) { least = left }
            if left + 1 < heap.count, heap[left + 1].precedes(heap[least]) { least = left + 1 }
            if least == parent { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
