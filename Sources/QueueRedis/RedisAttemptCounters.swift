import Domain
package import Queue
package import Redis

/// Counts attempts in Redis, on its clock. Each key holds the time at which its bucket will be full again, and goes
/// away by itself then.
package struct RedisAttemptCounters: AttemptCounters {
    private let client: RedisClient
    private let keys: RedisKeys

    package init(client: RedisClient, keys: RedisKeys) {
        self.client = client
        self.keys = keys
    }

    package func admit(_ attempts: [CountedAttempt]) async throws -> Duration? {
        let arguments = attempts.flatMap { ["\($0.interval.wholeMilliseconds)", "\($0.burst)"] }
        let reply = try await client.send(
            .evaluate(Self.admitScript, keys: attempts.map { name($0.key) }, arguments: arguments))
        guard let wait = reply.integer else { throw RedisError.malformed("a counter answered no number") }
        return wait > 0 ? .milliseconds(min(wait, 86_400_000)) : nil
    }

    package func forgive(_ attempt: CountedAttempt) async throws {
        _ = try await client.send(
            .evaluate(
                Self.forgiveScript, keys: [name(attempt.key)], arguments: ["\(attempt.interval.wholeMilliseconds)"]))
    }

    package func forget(_ key: String) async throws { _ = try await client.send(["DEL", name(key)]) }

    private func name(_ key: String) -> String { keys.prefix + "attempts:" + key }

    /// ARGV: interval in ms and burst for each of KEYS. Answers the time to wait, or 0 when all are counted.
    private static let admitScript = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local full, wait = {}, 0
        for i, key in ipairs(KEYS) do
            local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
            full[i] = math.max(now, tonumber(redis.call('GET', key) or '0') or 0) + interval
            wait = math.max(wait, full[i] - now - interval * burst)
        end
        if wait > 0 then return wait end
        for i, key in ipairs(KEYS) do
            redis.call('SET', key, string.format('%.0f', full[i]), 'PX', string.format('%.0f', full[i] - now))
        end
        return 0
        """

    private static let forgiveScript = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local full = (tonumber(redis.call('GET', KEYS[1]) or '0') or 0) - tonumber(ARGV[1])
        if full <= now then
            redis.call('DEL', KEYS[1])
        else
            redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', string.format('%.0f', full - now))
        end
        return 0
        """
}
