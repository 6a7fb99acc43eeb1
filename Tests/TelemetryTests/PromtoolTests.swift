import CoreMetrics
import Foundation
import TestSupport
import Testing

@testable import Telemetry

/// What Prometheus' own checker says of every metric that we have.
@Suite struct PromtoolTests {
    @Test("promtool finds nothing to say about any metric")
    func check() async throws {
        let registry = PrometheusRegistry()
        for name in MetricName.allCases {
            let labels = name.labels.map { ($0, "x") }
            switch name.kind {
            case .counter: registry.makeCounter(label: name.rawValue, dimensions: labels).increment(by: 3)
            case .gauge: registry.makeMeter(label: name.rawValue, dimensions: labels).set(Int64(2))
            case .histogram: registry.makeTimer(label: name.rawValue, dimensions: labels).recordNanoseconds(7_000_000)
            }
        }
        let text = registry.rendered()
        try await withTemporaryDirectory { folder in
            let (input, output) = (folder + "/metrics", folder + "/said")
            for (path, content) in [(input, text), (output, "")] {
                try Data(content.utf8).write(to: URL(filePath: path))
            }
            let promtool = Process()
            promtool.executableURL = URL(filePath: "/usr/bin/promtool")
            promtool.arguments = ["check", "metrics"]
            promtool.standardInput = try FileHandle(forReadingFrom: URL(filePath: input))
            let said = try FileHandle(forWritingTo: URL(filePath: output))
            promtool.standardOutput = said
            promtool.standardError = said
            try promtool.run()
            let deadline = ContinuousClock.now + .seconds(60)
            while promtool.isRunning {
                guard ContinuousClock.now < deadline else {
                    kill(promtool.processIdentifier, SIGKILL)
                    Issue.record("promtool did not end")
                    return
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            let answer = try String(contentsOfFile: output, encoding: .utf8)
            #expect(promtool.terminationStatus == 0, "\(answer)")
            #expect(answer == "")
        }
    }
}
