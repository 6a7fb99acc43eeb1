package import BlockingIO
import Domain
import Glibc

/// Random bytes in a file that only its owner can read, such as the key for access tokens.
package struct SecretFile: Sendable {
    private let path: String

    package init(path: String) { self.path = path }

    /// Reads the secret, after making one of `length` bytes when there is no file. Two programs that start at once end
    /// up with the same one. Refuses a file that others may read, or of another length.
    package func contents(length: Int, on pool: BlockingPool) async throws -> [UInt8] {
        try await pool.run { [path] in
            if let bytes = try Self.read(path, length: length) { return bytes }
            try Self.make(path, length: length)
            guard let bytes = try Self.read(path, length: length) else {
                throw Self.failure("cannot be read after it was made", path)
            }
            return bytes
        }
    }

    private static func read(_ path: String, length: Int) throws -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if file < 0 {
            if errno == ENOENT { return nil }
            throw failure("cannot be opened: errno \(errno)", path)
        }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw failure("is not a regular file", path)
        }
        guard facts.st_mode & 0o077 == 0 else {
            throw ServiceError(
                .failedPrecondition, "others may read the secret in \(path)",
                nextStep: "Delete the file so that a new secret is made, or run: chmod 600 \(path)")
        }
        var bytes = [UInt8](repeating: 0, count: length + 1)
        guard Glibc.read(file, &bytes, bytes.count) == length else {
            throw failure("has not the \(length) bytes that were written", path)
        }
        return Array(bytes.prefix(length))
    }

    /// Writes beside the place and links into it, so that nobody sees half a secret and the first writer wins.
    private static func make(_ path: String, length: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let draft = "\(path).\(getpid())-\(UInt32.random(in: .min ... .max, using: &generator))"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("cannot be made: errno \(errno)", path) }
        defer {
            close(file)
            unlink(draft)
        }
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw failure("cannot be written: errno \(errno)", path)
        }
        guard link(draft, path) == 0 || errno == EEXIST else {
            throw failure("cannot be made: errno \(errno)", path)
        }
    }

    private static func failure(_ what: String, _ path: String) -> ServiceError {
        ServiceError(.internalError, "the secret in \(path) \(what)")
    }
}
