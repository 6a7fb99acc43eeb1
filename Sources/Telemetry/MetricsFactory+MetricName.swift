package import CoreMetrics

extension MetricsFactory {
    /// Adds to a counter. Labels are given in the order of ``MetricName/labels``.
    package func increment(_ name: MetricName, by amount: Int = 1, _ labels: String...) {
        makeCounter(label: name.rawValue, dimensions: name.dimensions(labels)).increment(by: Int64(amount))
    }

    /// Sets a gauge.
    package func set(_ name: MetricName, to value: Int, _ labels: String...) {
        makeMeter(label: name.rawValue, dimensions: name.dimensions(labels)).set(Int64(value))
    }

    /// Moves a gauge up or down.
    package func adjust(_ name: MetricName, by amount: Int, _ labels: String...) {
        let meter = makeMeter(label: name.rawValue, dimensions: name.dimensions(labels))
        if amount >= 0 { meter.increment(by: Double(amount)) } else { meter.decrement(by: Double(-amount)) }
    }

    /// A counter that is moved often: found once.
    package func counter(_ name: MetricName, _ labels: String...) -> any CounterHandler {
        makeCounter(label: name.rawValue, dimensions: name.dimensions(labels))
    }

    /// A gauge that is set often: found once.
    package func meter(_ name: MetricName, _ labels: String...) -> any MeterHandler {
        makeMeter(label: name.rawValue, dimensions: name.dimensions(labels))
    }

    /// A duration that is noted often: found once.
    package func timer(_ name: MetricName, _ labels: String...) -> any TimerHandler {
        makeTimer(label: name.rawValue, dimensions: name.dimensions(labels))
    }

    /// Notes how long something took.
    package func observe(_ name: MetricName, _ duration: Duration, _ labels: String...) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !nanoseconds.overflow else { return }
        makeTimer(label: name.rawValue, dimensions: name.dimensions(labels))
            .recordNanoseconds(nanoseconds.partialValue + attoseconds / 1_000_000_000)
    }
}

extension MetricName {
    fileprivate func dimensions(_ values: [String]) -> [(String, String)] {
        precondition(values.count == labels.count, "\(rawValue) has the labels \(labels)")
        return Array(zip(labels, values))
    }
}
