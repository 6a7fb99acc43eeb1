import CoreMetrics
import Testing

@testable import Telemetry

/// The rules of `promtool check metrics`, and the text format 0.0.4 as its description has it.
@Suite struct MetricLintTests {
    private static let forbiddenUnits = [
        "milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "kilobytes", "megabytes",
        "gigabytes", "bits", "percent", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb",
    ]

    @Test("Every name follows the rules of promtool", arguments: MetricName.allCases)
    func names(name: MetricName) {
        let words = name.rawValue.split(separator: "_").map(String.init)
        #expect(!name.help.isEmpty)
        #expect(name.rawValue.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") })
        #expect((name.kind == .counter) == name.rawValue.hasSuffix("_total"))
        for suffix in ["_bucket", "_count", "_sum", "_info"] { #expect(!name.rawValue.hasSuffix(suffix)) }
        #expect(Set(words).isDisjoint(with: Self.forbiddenUnits))
        #expect(Set(words).isDisjoint(with: ["counter", "gauge", "histogram", "summary"]))
        for label in name.labels {
            #expect(label != "le" && label != "quantile" && !label.hasPrefix("__"))
            #expect(label.allSatisfy { $0.isASCII && ($0.isLowercase || $0 == "_") })
        }
        if case .histogram(let bounds) = name.kind {
            #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count && !bounds.isEmpty)
        }
    }

    @Test("What is written can be read by the rules of the format, for every metric")
    func format() throws {
        let registry = PrometheusRegistry()
        for name in MetricName.allCases {
            let labels = name.labels.map { ($0, "a \"b\" \\ \n é") }
            switch name.kind {
            case .counter: registry.makeCounter(label: name.rawValue, dimensions: labels).increment(by: 3)
            case .gauge: registry.makeMeter(label: name.rawValue, dimensions: labels).set(Int64(-2))
            case .histogram: registry.makeTimer(label: name.rawValue, dimensions: labels).recordNanoseconds(7_000_000)
            }
        }
        var described: [String: String] = [:]
        var helped: Set<String> = []
        var series: Set<String> = []
        var buckets: [String: Double] = [:]
        let text = registry.rendered()
        #expect(text.hasSuffix("\n"))
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let match = line.wholeMatch(of: /# HELP ([a-z_:][a-z0-9_:]*) (.+)/) {
                #expect(helped.insert(String(match.1)).inserted)
            } else if let match = line.wholeMatch(of: /# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)/) {
                #expect(helped.contains(String(match.1)))
                #expect(described.updateValue(String(match.2), forKey: String(match.1)) == nil)
            } else {
                let match = try #require(
                    line.wholeMatch(
                        of: /([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (\+Inf|-?[0-9.e+-]+)/),
                    "\(line)")
                let name = String(match.1)
                #expect(series.insert(name + String(match.2 ?? "")).inserted)
                var family = name
                for suffix in ["_bucket", "_sum", "_count"] where described[family] == nil && name.hasSuffix(suffix) {
                    family = String(name.dropLast(suffix.count))
                }
                #expect(described[family] != nil, "\(name) has no type")
                if name.hasSuffix("_bucket"), let value = Double(match.3) {
                    #expect(value >= buckets[family, default: 0])
                    buckets[family] = value
                }
            }
        }
        #expect(described.count == MetricName.allCases.count)
    }
}
