package import Domain
import ServiceLifecycle
import Synchronization

/// Tells the coordinator how this host is, whenever that changes.
package final class ConditionReporter: SessionParticipant, Service {
    private static let interval = Duration.seconds(5)

    private let reporter: StatusReporter
    private let drain: LocalDrain?
    private let session = Mutex<(outbox: (any AgentOutbox)?, said: HostCondition?)>((nil, nil))

    package init(reporter: StatusReporter, drain: LocalDrain?) {
        self.reporter = reporter
        self.drain = drain
    }

    package func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.look()
                // Ends early when cancelled.
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func look() async {
        guard session.withLock({ $0.outbox != nil }) else { return }
        let status = await reporter.status()
        let worst = status.problems.first { $0.level == status.level && $0.level != .ok }
        let condition = HostCondition(
            level: HostCondition.Level(rawValue: status.level.rawValue) ?? .bad, problem: worst?.message ?? "",
            isDrained: drain?.isDrained ?? false)
        let outbox = session.withLock { session in
            guard session.said != condition else { return nil as (any AgentOutbox)? }
            session.said = condition
            return session.outbox
        }
        outbox?.send(.condition(condition))
    }

    package func describe(in hello: inout AgentMessage.Hello) async {}

    package func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async {
        guard welcome.features.contains("condition") else { return }
        session.withLock { $0 = (outbox, nil) }
    }

    package func receive(_ message: CoordinatorMessage) async {}

    package func sessionClosed() async { session.withLock { $0 = (nil, nil) } }

    package func report(in status: inout AgentStatus) async {}
}
