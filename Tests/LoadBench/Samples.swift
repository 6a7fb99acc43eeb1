/// Durations, and what is said of them.
struct Samples: Sendable {
    private(set) var seconds: [Double] = []

    mutating func add(_ duration: Duration) {
        let (whole, attoseconds) = duration.components
        seconds.append(Double(whole) + Double(attoseconds) / 1e18)
    }

    mutating func add(_ other: Samples) { seconds += other.seconds }

    /// The nearest-rank percentile in milliseconds.
    func milliseconds(_ share: Double) -> Double {
        guard !seconds.isEmpty else { return 0 }
        let ordered = seconds.sorted()
        let rank = Int((share * Double(ordered.count)).rounded(.up))
        return ordered[max(0, min(ordered.count - 1, rank - 1))] * 1000
    }

    /// `"name_p50_ms":1.2,…`
    func fields(_ name: String) -> String {
        [("p50", 0.5), ("p99", 0.99), ("max", 1)].map { word, share in
            "\"\(name)_\(word)_ms\":\((milliseconds(share) * 100).rounded() / 100)"
        }.joined(separator: ",")
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
