import ServiceLifecycle

/// Tells the service manager that this program still gets its turn, until everything that was started after it ended.
///
/// Put it first into a service group: it is then the last to end, and a slow stop is not taken for a hanging program.
package struct ServiceHeartbeat: Service {
    private let notice: ServiceNotice

    package init(_ notice: ServiceNotice) { self.notice = notice }

    package func run() async {
        await cancelWhenGracefulShutdown {
            let interval = notice.heartbeat ?? .seconds(3600)
            while !Task.isCancelled {
                if notice.heartbeat != nil { notice.send("WATCHDOG=1") }
                try? await Task.sleep(for: interval)
            }
        }
    }
}
