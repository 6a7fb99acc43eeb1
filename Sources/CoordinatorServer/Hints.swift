import Domain
import Logging
import Queue
import QueueEmbedded
import QueueRedis
import Redis
import ServiceLifecycle

/// What coordinators tell each other besides the database: nothing that anybody relies on.
struct Hints: Sendable {
    let queue: any JobQueue
    let bus: any CoordinatorBus
    let counters: (any AttemptCounters)?
    let redis: RedisClient?
    /// To be run for as long as the coordinator serves.
    let services: [any Service]

    /// For a coordinator that is alone, or that finds the others' work in the database.
    static func embedded() -> Hints {
        Hints(queue: EmbeddedJobQueue(), bus: SilentBus(), counters: nil, redis: nil, services: [])
    }

    static func redis(_ configuration: RedisConfiguration, logger: Logger) throws -> Hints {
        let keys = RedisKeys(database: configuration.address.database)
        let client = try RedisClient(
            configuration, channels: [keys.queueChannel, keys.signalChannel], logger: logger)
        let bus = RedisBus(client: client, keys: keys)
        return Hints(
            queue: RedisJobQueue(client: client, keys: keys), bus: bus,
            counters: RedisAttemptCounters(client: client, keys: keys), redis: client, services: [client, bus])
    }
}
