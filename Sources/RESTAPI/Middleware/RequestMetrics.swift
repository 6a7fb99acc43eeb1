import CoreMetrics
import HTTPTypes
import Synchronization
import Telemetry

/// What is counted of requests. Every request moves these, so each series is found once.
final class RequestMetrics: Sendable {
    private struct Kind: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private struct Series {
        let count: any CounterHandler
        let duration: any TimerHandler
    }

    private let metrics: PrometheusRegistry
    private let inProgress: any MeterHandler
    /// As many as there are routes, methods and statuses.
    private let known = Mutex<[Kind: Series]>([:])

    init(_ metrics: PrometheusRegistry) {
        self.metrics = metrics
        inProgress = metrics.meter(.httpRequestsInProgress)
    }

    func begin() { inProgress.increment(by: 1) }

    func end() { inProgress.decrement(by: 1) }

    /// - Parameter route: the template, never the path: what a client makes up must not become a label.
    func note(_ method: HTTPRequest.Method, _ route: String, _ status: Int, _ duration: Duration) {
        let kind = Kind(method: Self.label(of: method), route: route, status: status)
        let series = known.withLock { known in
            if let series = known[kind] { return series }
            let series = Series(
                count: metrics.counter(.httpRequests, kind.method, route, String(status)),
                duration: metrics.timer(.httpRequestSeconds, route))
            known[kind] = series
            return series
        }
        series.count.increment(by: 1)
        let (seconds, attoseconds) = duration.components
        series.duration.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    private static func label(of method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .patch, .delete, .options: method.rawValue
        default: "other"
        }
    }
}
