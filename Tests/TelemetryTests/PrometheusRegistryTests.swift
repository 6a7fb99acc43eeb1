import CoreMetrics
import Testing

@testable import Telemetry

@Suite struct PrometheusRegistryTests {
    @Test("A counter, a gauge and a histogram are written as Prometheus reads them")
    func rendering() {
        let registry = PrometheusRegistry()
        registry.increment(.httpRequests, "GET", "/api/v1/sites", "200")
        registry.increment(.httpRequests, by: 2, "GET", "/api/v1/sites", "200")
        registry.adjust(.eventStreams, by: 3)
        registry.adjust(.eventStreams, by: -1)
        registry.observe(.httpRequestSeconds, .milliseconds(3), "/healthz")
        registry.observe(.httpRequestSeconds, .seconds(60), "/healthz")
        let lines = registry.rendered().split(separator: "\n").map(String.init)
        #expect(lines.contains("# TYPE pagewright_http_requests_total counter"))
        #expect(
            lines.contains("pagewright_http_requests_total{method=\"GET\",route=\"/api/v1/sites\",status=\"200\"} 3"))
        #expect(lines.contains("# HELP pagewright_event_streams \(MetricName.eventStreams.help)"))
        #expect(lines.contains("pagewright_event_streams 2"))
        let name = "pagewright_http_request_duration_seconds"
        #expect(lines.contains("\(name)_bucket{route=\"/healthz\",le=\"0.0025\"} 0"))
        #expect(lines.contains("\(name)_bucket{route=\"/healthz\",le=\"0.005\"} 1"))
        #expect(lines.contains("\(name)_bucket{route=\"/healthz\",le=\"30\"} 1"))
        #expect(lines.contains("\(name)_bucket{route=\"/healthz\",le=\"+Inf\"} 2"))
        #expect(lines.contains("\(name)_sum{route=\"/healthz\"} 60.003"))
        #expect(lines.contains("\(name)_count{route=\"/healthz\"} 2"))
    }

    @Test("Label values are escaped, and names of libraries are made fit")
    func escaping() {
        let registry = PrometheusRegistry()
        Counter(label: "some.library-count", dimensions: [("a b", "x\"y\\z\n")], factory: registry).increment()
        #expect(registry.rendered().contains("some_library_count{a_b=\"x\\\"y\\\\z\\n\"} 1\n"))
    }

    @Test("Labels that never end are counted under \"other\"")
    func cardinality() {
        let registry = PrometheusRegistry()
        for number in 0..<(PrometheusRegistry.maximumSeries + 100) {
            registry.increment(.logins, "outcome-\(number)")
        }
        let text = registry.rendered()
        #expect(text.contains("pagewright_logins_total{outcome=\"other\"} 100\n"))
        #expect(text.contains("pagewright_metric_series_refused_total 100\n"))
        #expect(text.split(separator: "\n").count < PrometheusRegistry.maximumSeries + 10)
    }

    @Test("A name that is used for another kind of metric does no harm")
    func mismatch() {
        let registry = PrometheusRegistry()
        registry.increment(.metricSeriesRefused)
        registry.makeMeter(label: MetricName.metricSeriesRefused.rawValue, dimensions: []).set(Int64(9))
        #expect(registry.rendered().contains("pagewright_metric_series_refused_total 1\n"))
    }

    @Test("Counting from many tasks at once loses nothing")
    func concurrency() async {
        let registry = PrometheusRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<500 { registry.increment(.metricSeriesRefused) } } }
        }
        #expect(registry.rendered().contains("pagewright_metric_series_refused_total 4000\n"))
    }

    @Test("Every metric has a help text and a proper name", arguments: MetricName.allCases)
    func table(name: MetricName) {
        #expect(name.rawValue.hasPrefix("pagewright_"))
        #expect(PrometheusText.name(name.rawValue) == name.rawValue)
        #expect(name.help.hasSuffix("."))
        #expect((name.kind == .counter) == name.rawValue.hasSuffix("_total"))
    }
}
