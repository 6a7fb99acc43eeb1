import BlockingIO
import Domain
import Testing

@testable import Coordinator

@Suite struct AccountsPasswordHasherTests {
    private let pool = BlockingPool(label: "test.passwords", width: 2)
    private var hasher: PasswordHasher { PasswordHasher(uncheckedCost: 4, pool: pool) }

    @Test("A hash matches its own password and no other")
    func matching() async throws {
        let hash = try await hasher.hash(Password(presented: "pässword 🙂"))
        #expect(try await hasher.matches(Password(presented: "pässword 🙂"), hash))
        #expect(try await !hasher.matches(Password(presented: "password"), hash))
        #expect(try await !hasher.matches(Password(presented: ""), hash))
    }

    @Test("Two hashes of one password differ")
    func salted() async throws {
        let password = Password(presented: "the same")
        #expect(try await hasher.hash(password) != hasher.hash(password))
    }

    @Test("What bcrypt would not read does not match: text after a zero byte, and past 72 bytes")
    func unread() async throws {
        let hash = try await hasher.hash(Password(presented: "secret"))
        #expect(try await !hasher.matches(Password(presented: "secret\0more"), hash))
        let long = String(repeating: "a", count: 72)
        let longHash = try await hasher.hash(Password(presented: long))
        #expect(try await hasher.matches(Password(presented: long), longHash))
        #expect(try await !hasher.matches(Password(presented: long + "b"), longHash))
    }

    @Test("A hash that another program made is understood")
    func knownHash() async throws {
        // From the published test vectors of bcrypt.
        let hash = "$2b$04$TI13sbmh3IHnmRepeEFoJOkVZWsn5S1O8QOwm8ZU5gNIpJog9pXZm"
        let made = try await hasher.matches(Password(presented: "vegan"), hash)
        #expect(!made)
        #expect(!hasher.needsRehash(hash))
        #expect(PasswordHasher(uncheckedCost: 5, pool: pool).needsRehash(hash))
        #expect(hasher.needsRehash("$2a$12$older"))
    }

    @Test("A cost below 10 is refused")
    func minimumCost() {
        #expect(throws: ServiceError.self) { try PasswordHasher(cost: 9, pool: pool) }
        #expect(throws: Never.self) { try PasswordHasher(cost: 10, pool: pool) }
    }
}
