package import BlockingIO
package import Domain
import Glibc

/// The keys to a bucket. Its description shows nothing secret.
package struct S3Credentials: Sendable, Equatable, CustomStringConvertible {
    package let accessKey: String
    let secretKey: String
    let sessionToken: String?

    /// Refuses what cannot be a key, such as one with a line break.
    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) throws(ServiceError) {
        for (value, name) in [
            (accessKey, "access key"), (secretKey, "secret key"), (sessionToken ?? "-", "session token"),
        ] {
            guard !value.isEmpty, value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw ServiceError(
                    .invalidArgument, "the \(name) for the blobs is empty or has characters that no key has",
                    field: "blobs", rule: "s3-credentials",
                    nextStep:
                        "Set PAGEWRIGHT_S3_ACCESS_KEY and PAGEWRIGHT_S3_SECRET_KEY, or a file with them.")
            }
        }
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    package var description: String { "the access key \(accessKey.prefix(4))…" }

    /// Reads a file in the format of Amazon's tools: `aws_access_key_id = …` and so on, the first section of it. Refuses one
    /// that everybody on this machine may read.
    package static func read(fromFile path: String, on pool: BlockingPool) async throws -> Self {
        let text = try await pool.run { () throws(ServiceError) -> String in
            do {
                let file = try OpenFile(path, flags: O_RDONLY)
                guard try file.status().st_mode & 0o007 == 0 else {
                    throw ServiceError(
                        .failedPrecondition, "everybody may read the keys in \(path)", field: "s3-credentials",
                        rule: "s3-credentials", nextStep: "Take that right away: chmod o-rwx \(path).")
                }
                var bytes = [UInt8](repeating: 0, count: 64 << 10)
                let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
                return String(decoding: bytes.prefix(count), as: UTF8.self)
            } catch let error as ServiceError {
                throw error
            } catch {
                throw ServiceError(
                    .failedPrecondition, "cannot read the keys in \(path)", field: "s3-credentials",
                    rule: "s3-credentials", nextStep: "Name a file that this user may read.", cause: error)
            }
        }
        return try Self(iniText: text, path: path)
    }

    init(iniText text: String, path: String) throws(ServiceError) {
        var values: [String: String] = [:]
        var sections = 0
        for line in text.split(whereSeparator: \.isNewline) {
            if line.first == "[" { sections += 1 }
            guard sections <= 1, let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals].trimmed] = line[equals...].dropFirst().trimmed
        }
        guard let access = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else {
            throw ServiceError(
                .failedPrecondition, "\(path) has no aws_access_key_id or no aws_secret_access_key",
                field: "s3-credentials", rule: "s3-credentials",
                nextStep: "Write both into it, a line each, like aws_access_key_id = ….")
        }
        try self.init(accessKey: access, secretKey: secret, sessionToken: values["aws_session_token"])
    }
}
