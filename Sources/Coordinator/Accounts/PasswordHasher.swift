package import BlockingIO
import CCrypt
package import Domain
import Glibc

/// Turns passwords into bcrypt hashes (`$2b$`) and compares them, on threads of their own: each takes long on purpose.
package struct PasswordHasher: Sendable {
    /// Below this a stolen table of hashes is too cheap to search.
    package static let minimumCost = 10
    package static let standardCost = 12

    private static let prefix = "$2b$"
    private static let saltLength = 16
    private static let maximumLength = 72

    private let cost: Int
    private let pool: BlockingPool

    /// Throws when `cost` is not 10 to 31.
    package init(cost: Int = standardCost, pool: BlockingPool) throws(ServiceError) {
        guard (Self.minimumCost...31).contains(cost) else {
            throw ServiceError(
                .invalidArgument, "the cost of a password hash must be \(Self.minimumCost) to 31",
                field: "password-cost",
                rule: "password-cost")
        }
        self.init(uncheckedCost: cost, pool: pool)
    }

    /// For tests, which may take the lowest cost that bcrypt knows: 4.
    init(uncheckedCost cost: Int, pool: BlockingPool) {
        self.cost = cost
        self.pool = pool
    }

    package func hash(_ password: Password) async throws -> String {
        try await pool.run { [cost] in try Self.crypt(password.text, try Self.makeSetting(cost: cost)) }
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash the same work is done and the answer is
    /// no, so that the time taken does not tell whether an account exists.
    package func matches(_ password: Password, _ hash: String?) async throws -> Bool {
        try await pool.run { [cost] in
            let bytes = password.text.utf8
            // bcrypt would read neither what follows a zero byte nor what is past byte 72.
            let isReadWhole = bytes.count <= Self.maximumLength && !bytes.contains(0)
            guard let hash, isReadWhole else {
                _ = try Self.crypt("", try Self.makeSetting(cost: cost))
                return false
            }
            return Self.areEqual(try Self.crypt(password.text, hash), hash)
        }
    }

    /// Whether `hash` was made with less work than is asked for today.
    package func needsRehash(_ hash: String) -> Bool {
        guard hash.hasPrefix(Self.prefix), let made = Int(hash.dropFirst(Self.prefix.count).prefix(2)) else {
            return true
        }
        return made < cost
    }

    private static func makeSetting(cost: Int) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<saltLength).map { _ in CChar(bitPattern: .random(in: .min ... .max, using: &generator)) }
        guard let setting = crypt_gensalt_ra(prefix, UInt(cost), salt, Int32(salt.count)) else {
            throw ServiceError(.internalError, "libcrypt cannot make a bcrypt salt: errno \(errno)")
        }
        defer { free(setting) }
        return String(cString: setting)
    }

    private static func crypt(_ phrase: String, _ setting: String) throws -> String {
        var scratch: UnsafeMutableRawPointer?
        var scratchSize: Int32 = 0
        defer {
            if let scratch {
                explicit_bzero(scratch, Int(scratchSize))
                free(scratch)
            }
        }
        guard let result = crypt_ra(phrase, setting, &scratch, &scratchSize) else {
            throw ServiceError(.internalError, "libcrypt refuses a password hash: errno \(errno)")
        }
        return String(cString: result)
    }

    /// Compares every byte, whatever the first ones say.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
