import BlockingIO
package import Domain
import Glibc

/// Looks where a domain leads, as the coordinator's own resolver sees it now.
package struct DomainLookup: Sendable {
    package enum Answer: Sendable, Equatable {
        /// It leads to the same addresses as the name that it should point to.
        case right
        /// It leads elsewhere.
        case elsewhere([String])
        /// It has no address yet.
        case nowhere
        /// The resolver did not answer in time, or does not know the name that the domain should point to.
        case unknown
    }

    private static let patience = Duration.seconds(4)
    /// Resolvers can take long; those who ask wait for one another rather than use up threads.
    private static let pool = BlockingPool(label: "pagewright.resolver", width: 4)

    package init() {}

    package func look(for domain: DomainName, shouldBe target: String) async -> Answer {
        async let now = Self.addresses(of: domain.text)
        async let right = Self.addresses(of: target)
        guard let found = await now, let wanted = await right else { return .unknown }
        if found.isEmpty { return .nowhere }
        if wanted.isEmpty { return .unknown }
        return found.isDisjoint(with: wanted) ? .elsewhere(found.sorted()) : .right
    }

    /// `nil` when the resolver took too long.
    private static func addresses(of name: String) async -> Set<String>? {
        let (answers, continuation) = AsyncStream.makeStream(
            of: Set<String>?.self, bufferingPolicy: .bufferingOldest(1))
        // The call cannot be ended; whoever waits for it can go.
        let call = Task { continuation.yield(try? await pool.run { resolve(name) }) }
        let limit = Task {
            try await Task.sleep(for: patience)
            continuation.yield(nil)
        }
        defer {
            call.cancel()
            limit.cancel()
        }
        for await answer in answers { return answer }
        return nil
    }

    private static func resolve(_ name: String) -> Set<String> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: Set<String> = []
        var next = list
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                found.insert(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}
