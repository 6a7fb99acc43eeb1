import Crypto
package import Domain
package import Queue
import Synchronization

/// Slows down those who guess passwords: so many attempts an account and so many a client address, then waiting.
///
/// Buckets of tokens in bounded memory. A full bucket is as good as none, so when there is no room for one more, the
/// fullest is forgotten: what an attacker gains by flooding it with names is the attempts that they had anyway.
///
/// Several coordinators count together in `shared`. While that is out of reach, each counts for itself.
package final class LoginRateLimiter: Sendable {
    /// `burst` attempts at once, and then one more every `interval`.
    package struct Limit: Sendable {
        package let burst: Int
        package let interval: Duration

        package init(burst: Int, interval: Duration) {
            self.burst = burst
            self.interval = interval
        }
    }

    private struct Bucket {
        /// When it will be full again.
        var fullAt: Timestamp
    }

    private enum Key: Hashable {
        case email(EmailAddress)
        case address(ClientAddress)
    }

    package static let standardEmailLimit = Limit(burst: 10, interval: .seconds(60))
    package static let standardAddressLimit = Limit(burst: 60, interval: .seconds(10))

    private let emailLimit: Limit
    private let addressLimit: Limit
    private let capacity: Int
    private let shared: (any AttemptCounters)?
    private let buckets = Mutex<[Key: Bucket]>([:])

    package init(
        perEmail emailLimit: Limit = standardEmailLimit, perAddress addressLimit: Limit = standardAddressLimit,
        capacity: Int = 20_000, shared: (any AttemptCounters)? = nil
    ) {
        self.emailLimit = emailLimit
        self.addressLimit = addressLimit
        self.capacity = max(2, capacity)
        self.shared = shared
    }

    /// Counts an attempt before it is made. Throws `rateLimited`, with the time to wait, when there were too many.
    package func admit(
        _ email: EmailAddress?, from address: ClientAddress, at now: Timestamp
    ) async throws(ServiceError) {
        let keys = [Key.address(address)] + (email.map { [Key.email($0)] } ?? [])
        let wait = buckets.withLock { buckets -> Duration? in
            let waits = keys.compactMap { key -> Duration? in
                let limit = limit(of: key)
                let fullAt = max(now, buckets[key]?.fullAt ?? now) + limit.interval
                let excess = (fullAt - now) - limit.interval * limit.burst
                return excess > .zero ? excess : nil
            }
            if let longest = waits.max() { return longest }
            for key in keys {
                if buckets[key] == nil { makeRoom(in: &buckets, at: now) }
                buckets[key] = Bucket(fullAt: max(now, buckets[key]?.fullAt ?? now) + limit(of: key).interval)
            }
            return nil
        }
        if let wait { throw Self.refusal(for: wait) }
        if let shared, let wait = (try? await shared.admit(keys.map(counted))) ?? nil { throw Self.refusal(for: wait) }
    }

    private static func refusal(for wait: Duration) -> ServiceError {
        ServiceError(
            .rateLimited, "there were too many attempts", rule: "login-rate",
            nextStep: "Wait a little, then try again.", retryAfter: .seconds(wait.wholeMilliseconds / 1000 + 1))
    }

    /// What is counted with other coordinators; names of people stay here.
    private func counted(_ key: Key) -> CountedAttempt {
        let text =
            switch key {
            case .email(let email): "email \(email)"
            case .address(let address): "address \(address)"
            }
        let digest = Hexadecimal.text(of: Array(SHA256.hash(data: Array(text.utf8)).prefix(16)))
        return CountedAttempt(key: digest, burst: limit(of: key).burst, interval: limit(of: key).interval)
    }

    /// The attempt was by somebody who knows the password: it does not count, and those before it are forgiven.
    package func forgive(_ email: EmailAddress, from address: ClientAddress) async {
        buckets.withLock { buckets in
            buckets[.email(email)] = nil
            if let bucket = buckets[.address(address)] {
                let interval = addressLimit.interval.wholeMilliseconds
                let fullAt = bucket.fullAt.millisecondsSinceEpoch - interval
                buckets[.address(address)] = Bucket(fullAt: Timestamp(millisecondsSinceEpoch: fullAt))
            }
        }
        try? await shared?.forget(counted(.email(email)).key)
        try? await shared?.forgive(counted(.address(address)))
    }

    /// How many accounts and addresses are remembered; never more than the capacity.
    var count: Int { buckets.withLock { $0.count } }

    private func limit(of key: Key) -> Limit {
        switch key {
        case .email: emailLimit
        case .address: addressLimit
        }
    }

    private func makeRoom(in buckets: inout [Key: Bucket], at now: Timestamp) {
        guard buckets.count >= capacity else { return }
        buckets = buckets.filter { $0.value.fullAt > now }
        while buckets.count >= capacity, let fullest = buckets.min(by: { $0.value.fullAt < $1.value.fullAt }) {
            buckets[fullest.key] = nil
        }
    }
}
