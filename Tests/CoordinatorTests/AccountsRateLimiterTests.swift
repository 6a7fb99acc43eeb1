import Domain
import Testing

@testable import Coordinator

@Suite struct AccountsRateLimiterTests {
    private let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)
    private let address = ClientAddress("192.0.2.1")

    @Test("A client address has its own limit, over all accounts")
    func perAddress() async throws {
        let limiter = LoginRateLimiter(perAddress: .init(burst: 3, interval: .seconds(10)))
        for number in 0..<3 {
            try await limiter.admit(try EmailAddress("user\(number)@example.org"), from: address, at: start)
        }
        let error = await #expect(throws: ServiceError.self) {
            try await limiter.admit(try EmailAddress("other@example.org"), from: address, at: start)
        }
        #expect(error?.retryAfter == .seconds(11))
        await #expect(throws: Never.self) { try await limiter.admit(nil, from: ClientAddress("192.0.2.2"), at: start) }
        await #expect(throws: Never.self) { try await limiter.admit(nil, from: address, at: start + .seconds(10)) }
    }

    @Test("A right password forgives the wrong ones before it")
    func forgiving() async throws {
        let email = try EmailAddress("a@example.org")
        let limiter = LoginRateLimiter(perEmail: .init(burst: 2, interval: .seconds(60)))
        for _ in 0..<5 {
            try await limiter.admit(email, from: address, at: start)
            await limiter.forgive(email, from: address)
        }
        try await limiter.admit(email, from: address, at: start)
        try await limiter.admit(email, from: address, at: start)
        await #expect(throws: ServiceError.self) { try await limiter.admit(email, from: address, at: start) }
    }

    @Test("A flood of names does not grow its memory, and does not free who is waiting")
    func bounded() async throws {
        let limiter = LoginRateLimiter(
            perEmail: .init(burst: 5, interval: .seconds(60)), perAddress: .init(burst: 10_000, interval: .seconds(1)),
            capacity: 100)
        let victim = try EmailAddress("victim@example.org")
        for _ in 0..<5 { try await limiter.admit(victim, from: address, at: start) }
        for number in 0..<1000 {
            try await limiter.admit(try EmailAddress("user\(number)@example.org"), from: address, at: start)
            #expect(limiter.count <= 101)
        }
        await #expect(throws: ServiceError.self) { try await limiter.admit(victim, from: address, at: start) }
    }

    @Test(
        "Addresses of one household are one client",
        arguments: [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ])
    func household(left: String, right: String, same: Bool) {
        #expect((ClientAddress(left) == ClientAddress(right)) == same)
    }
}
