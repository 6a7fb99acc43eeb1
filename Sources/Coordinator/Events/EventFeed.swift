package import Database
package import Domain
package import Persistence
package import Queue

/// Writes events with what caused them, and wakes those who wait for new ones.
package final class EventFeed: Sendable {
    private let store: EventStore
    private let bus: any CoordinatorBus
    private let wakeUps = WakeUps()

    package init(store: EventStore, bus: any CoordinatorBus) {
        self.store = store
        self.bus = bus
    }

    /// Adds an event within the transaction of its cause. Call ``announce()`` after the commit.
    package func append(
        _ kind: Event.Kind, owner: UserID?, site: SiteID?, body: [String: EventValue], at now: Timestamp,
        in transaction: any SQLTransaction
    ) async throws {
        let text = FlatJSON.text(of: body.mapValues(\.json))
        try await store.append(kind, owner: owner, site: site, body: text, at: now, in: transaction)
    }

    /// Says that there may be new events, here and to other coordinators.
    package func announce() {
        wakeUps.announce()
        bus.publish(.events)
    }

    /// Wakes those who wait here: another coordinator wrote events.
    func wake() { wakeUps.announce() }

    /// Yields after every ``announce()``.
    package func changes() -> AsyncStream<Void> { wakeUps.changes() }
}

/// A value in the JSON body of an event.
package enum EventValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    case null

    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(_ value: some Identifier) { self = .text(value.text) }
    package init(_ value: VersionNumber?) { self = value.map { .integer(Int64($0.rawValue)) } ?? .null }
    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    package init(_ value: Int) { self = .integer(Int64(value)) }

    fileprivate var json: FlatJSON.Value {
        switch self {
        case .text(let value): .text(value)
        case .integer(let value): .integer(value)
        case .boolean(let value): .boolean(value)
        case .null: .null
        }
    }
}
