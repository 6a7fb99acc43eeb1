package import Domain
package import Queue
package import Redis

/// The queue of several coordinators, in Redis. Each step is one script, so no two takers get the same entry.
///
/// Per label there are two sorted sets: `ready:<label>` by priority (Redis sorts equal ones by their text, which is the
/// job's age), and `later:<label>` by the time when an entry becomes ready, on the server's clock.
package struct RedisJobQueue: JobQueue {
    private let client: RedisClient
    private let keys: RedisKeys

    package init(client: RedisClient, keys: RedisKeys) {
        self.client = client
        self.keys = keys
    }

    /// How many entries go in one command.
    private static let batch = 500

    package func enqueue(_ entries: [QueueEntry], delay: Duration) async throws {
        try await add(entries, mode: "place", delay: delay)
    }

    package func restore(_ entries: [QueueEntry]) async throws {
        try await add(entries, mode: "restore", delay: .zero)
    }

    private func add(_ entries: [QueueEntry], mode: String, delay: Duration) async throws {
        var rest = ArraySlice(entries)
        while !rest.isEmpty {
            let part = rest.prefix(Self.batch)
            rest = rest.dropFirst(Self.batch)
            var arguments = [mode, "\(max(0, delay.wholeMilliseconds))", keys.queueChannel]
            for entry in part { arguments += [entry.job.text, entry.label.text, "\(Self.score(entry.priority))"] }
            _ = try await client.send(.evaluate(Scripts.add, keys: [keys.prefix], arguments: arguments))
        }
    }

    package func take(_ labels: Set<QueueLabel>) async throws -> QueueAnswer {
        guard !labels.isEmpty else { return .empty(nextAfter: nil) }
        let reply = try await client.send(
            .evaluate(Scripts.take, keys: [keys.prefix], arguments: labels.sorted().map(\.text)))
        switch reply {
        case .nothing:
            return .empty(nextAfter: nil)
        case .integer(let milliseconds):
            return .empty(nextAfter: .milliseconds(max(1, min(milliseconds, 86_400_000))))
        case .list(let words):
            guard words.count == 3, let text = words[0].text, let word = words[1].text,
                let score = words[2].text.flatMap(Double.init), score.magnitude <= Self.largestScore
            else { throw RedisError.malformed("the queue has an entry that is none of ours") }
            guard let job = JobID(text), let label = QueueLabel(word), labels.contains(label) else {
                throw RedisError.malformed("the queue has an entry that is none of ours")
            }
            return .entry(QueueEntry(job: job, label: label, priority: -Int(score)))
        case .text, .refusal:
            throw RedisError.malformed("the queue gave another answer than a list")
        }
    }

    package func remove(_ job: JobID) async throws {
        _ = try await client.send(.evaluate(Scripts.remove, keys: [keys.prefix], arguments: [job.text]))
    }

    package func depths() async throws -> [QueueLabel: Int] {
        let words = try await client.send(.evaluate(Scripts.depths, keys: [keys.prefix])).list ?? []
        var depths: [QueueLabel: Int] = [:]
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let label = words[index].text.flatMap({ QueueLabel($0) }), let number = words[index + 1].integer
            else {
                continue
            }
            depths[label] = Int(number)
        }
        return depths
    }

    package func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let notices = client.notices()
        let listener = Task { [keys] in
            for await notice in notices {
                switch notice {
                case .subscribed: continuation.yield()
                case .message(let message): if message.channel == keys.queueChannel { continuation.yield() }
                }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in listener.cancel() }
        return stream
    }

    /// The largest number up to which a score is exact.
    private static let largestScore = 9_007_199_254_740_992.0

    private static func score(_ priority: Int) -> Int {
        -max(-(1 << 53), min(1 << 53, priority))
    }

    private enum Scripts {
        /// ARGV: mode, delay in ms, channel, then job, label and score of each entry.
        static let add = """
            local prefix, mode, delay = KEYS[1], ARGV[1], tonumber(ARGV[2])
            local time = redis.call('TIME')
            local due = time[1] * 1000 + math.floor(time[2] / 1000) + delay
            local labels = redis.call('SMEMBERS', prefix .. 'labels')
            local changed = 0
            for i = 4, #ARGV, 3 do
                local job, label, score = ARGV[i], ARGV[i + 1], ARGV[i + 2]
                local ready, later = prefix .. 'ready:' .. label, prefix .. 'later:' .. label
                local known = redis.call('ZSCORE', ready, job) or redis.call('ZSCORE', later, job)
                if mode == 'place' or not known then
                    for _, other in ipairs(labels) do
                        if other ~= label then
                            redis.call('ZREM', prefix .. 'ready:' .. other, job)
                            redis.call('ZREM', prefix .. 'later:' .. other, job)
                        end
                    end
                    redis.call('SADD', prefix .. 'labels', label)
                    if delay > 0 then
                        redis.call('ZREM', ready, job)
                        redis.call('ZADD', later, due, job)
                        redis.call('HSET', prefix .. 'scores', job, score)
                    else
                        redis.call('ZREM', later, job)
                        redis.call('HDEL', prefix .. 'scores', job)
                        redis.call('ZADD', ready, score, job)
                    end
                    changed = changed + 1
                end
            end
            if changed > 0 then redis.call('PUBLISH', ARGV[3], '') end
            return changed
            """

        /// ARGV: labels. Answers job, label and score; or the ms until something is due; or nothing.
        static let take = """
            local prefix = KEYS[1]
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local best, bestLabel, bestScore, due
            for _, label in ipairs(ARGV) do
                local ready, later = prefix .. 'ready:' .. label, prefix .. 'later:' .. label
                for _, job in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, 128)) do
                    redis.call('ZADD', ready, redis.call('HGET', prefix .. 'scores', job) or '0', job)
                    redis.call('ZREM', later, job)
                    redis.call('HDEL', prefix .. 'scores', job)
                end
                local first = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')
                if first[1] then
                    local score = tonumber(first[2])
                    if not best or score < bestScore or (score == bestScore and first[1] < best) then
                        best, bestLabel, bestScore = first[1], label, score
                    end
                end
                local next = redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')
                if next[1] and (not due or tonumber(next[2]) < due) then due = tonumber(next[2]) end
            end
            if best then
                redis.call('ZREM', prefix .. 'ready:' .. bestLabel, best)
                return { best, bestLabel, string.format('%.0f', bestScore) }
            end
            if due then return due - now end
            return false
            """

        static let remove = """
            local prefix, job = KEYS[1], ARGV[1]
            for _, label in ipairs(redis.call('SMEMBERS', prefix .. 'labels')) do
                redis.call('ZREM', prefix .. 'ready:' .. label, job)
                redis.call('ZREM', prefix .. 'later:' .. label, job)
            end
            redis.call('HDEL', prefix .. 'scores', job)
            return 0
            """

        static let depths = """
            local prefix, answer = KEYS[1], {}
            for _, label in ipairs(redis.call('SMEMBERS', prefix .. 'labels')) do
                answer[#answer + 1] = label
                answer[#answer + 1] = redis.call('ZCARD', prefix .. 'ready:' .. label)
                    + redis.call('ZCARD', prefix .. 'later:' .. label)
            end
            return answer
            """
    }
}
