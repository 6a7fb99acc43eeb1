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

    /// Throws when Redis does not let us in, which needs a person. One that is away may come back: everything works
    /// meanwhile, only later, and that is no reason not to start.
    func requireAdmission() async throws {
        do {
            try await redis?.probe()
        } catch let error as RedisError where error.isDenial {
            throw ServiceError(redis: error)
        } catch {
            // The client says so itself, and tries again.
        }
    }
}

extension ServiceError {
    /// What a person at the console is told when Redis cannot be used.
    init(redis error: any Error) {
        let isDenial = (error as? RedisError)?.isDenial == true
        self.init(
            .failedPrecondition, isDenial ? "Redis does not let us in" : "Redis cannot be used", field: "redis",
            rule: "redis",
            nextStep: isDenial
                ? "Check the user and the number of the database in --redis, and the password in PAGEWRIGHT_REDIS_PASSWORD."
                : "Check that the server runs and that --redis names it; without Redis leave --redis out.",
            cause: error)
    }
}
