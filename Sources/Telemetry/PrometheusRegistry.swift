package import CoreMetrics
import Synchronization

/// Keeps every metric of this process and writes them in the text format of Prometheus.
///
/// A metric has at most 500 series. What comes after that is counted under the label value `other`, so that labels that
/// somebody outside chooses cannot fill the memory.
package final class PrometheusRegistry: MetricsFactory {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    static let maximumSeries = 500
    /// Metrics under names of libraries; ours are all in ``MetricName``.
    static let maximumForeignFamilies = 200
    private static let foreignBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]

    private enum Series {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)
    }

    private struct Family {
        let help: String
        let kind: MetricName.Kind
        var series: [String: Series] = [:]
    }

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// Shows counters and histograms at zero that nothing moved yet: whoever watches for a first time must know the time
    /// before it. Those whose labels are known; of others nobody can say beforehand which there will be.
    package func begin() {
        for name in MetricName.allCases {
            for values in name.knownLabelValues {
                let dimensions = Array(zip(name.labels, values))
                switch name.kind {
                case .counter: _ = makeCounter(label: name.rawValue, dimensions: dimensions)
                case .histogram: _ = makeTimer(label: name.rawValue, dimensions: dimensions)
                // A gauge at zero would be a statement.
                case .gauge: break
                }
            }
        }
    }

    /// The state of all metrics now.
    package func rendered() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            text += "# HELP \(name) \(PrometheusText.escapedHelp(family.help))\n"
            text += "# TYPE \(name) \(family.kind.word)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                text += Self.lines(name, labels, series)
            }
        }
        return text
    }

    private static func lines(_ name: String, _ labels: String, _ series: Series) -> String {
        switch series {
        case .counter(let counter):
            return PrometheusText.line(name, labels, counter.value)
        case .gauge(let gauge):
            return PrometheusText.line(name, labels, gauge.value)
        case .histogram(let histogram):
            let snapshot = histogram.snapshot
            var text = ""
            var total: UInt64 = 0
            for (count, bound) in zip(snapshot.counts, histogram.bounds + [.infinity]) {
                total += count
                let edge = "le=\"\(PrometheusText.number(bound))\""
                text += PrometheusText.line(
                    name + "_bucket", labels.isEmpty ? edge : labels + "," + edge, Double(total))
            }
            text += PrometheusText.line(name + "_sum", labels, snapshot.sum)
            text += PrometheusText.line(name + "_count", labels, Double(total))
            return text
        }
    }

    /// Finds or makes a series. `nil` when the name stands for a metric of another kind, or when there is no room.
    private func series(_ label: String, _ dimensions: [(String, String)], _ kind: MetricName.Kind) -> Series? {
        let known = MetricName(rawValue: label)
        let name = known == nil ? PrometheusText.name(label) : label
        return families.withLock { families -> Series? in
            if families[name] == nil {
                guard known != nil || families.count < MetricName.allCases.count + Self.maximumForeignFamilies else {
                    return nil
                }
                families[name] = Family(help: known?.help ?? "Reported by a library.", kind: known?.kind ?? kind)
            }
            guard let family = families[name], family.kind.word == kind.word else { return nil }
            var labels = PrometheusText.labels(dimensions)
            if family.series[labels] == nil, family.series.count >= Self.maximumSeries {
                labels = PrometheusText.labels(dimensions.map { ($0.0, "other") })
                Self.noteRefusal(in: &families)
            }
            if let series = families[name]?.series[labels] { return series }
            let series = Self.make(family.kind)
            families[name]?.series[labels] = series
            return series
        }
    }

    private static func make(_ kind: MetricName.Kind) -> Series {
        switch kind {
        case .counter: .counter(CounterSeries())
        case .gauge: .gauge(GaugeSeries())
        case .histogram(let bounds): .histogram(HistogramSeries(bounds: bounds))
        }
    }

    private static func noteRefusal(in families: inout [String: Family]) {
        let name = MetricName.metricSeriesRefused
        var family = families[name.rawValue] ?? Family(help: name.help, kind: name.kind)
        let series = family.series[""] ?? make(name.kind)
        if case .counter(let counter) = series { counter.increment(by: Int64(1)) }
        family.series[""] = series
        families[name.rawValue] = family
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        if case .counter(let counter) = series(label, dimensions, .counter) { return counter }
        return CounterSeries()
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        if case .counter(let counter) = series(label, dimensions, .counter) { return counter }
        return CounterSeries()
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        if case .gauge(let gauge) = series(label, dimensions, .gauge) { return gauge }
        return GaugeSeries()
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        switch series(label, dimensions, aggregate ? .histogram(Self.foreignBuckets) : .gauge) {
        case .gauge(let gauge): gauge
        case .histogram(let histogram): histogram
        case .counter, nil: GaugeSeries()
        }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        if case .histogram(let histogram) = series(label, dimensions, .histogram(Self.foreignBuckets)) {
            return histogram
        }
        return HistogramSeries(bounds: [])
    }

    // Series outlive the handlers: a counter that began again at zero would tell lies about the past.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

extension MetricName.Kind {
    fileprivate var word: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}
