import Artifacts
package import BlockingIO
import Crypto
package import Domain
import Glibc
package import Logging
import NIOCore
import NIOHTTP1

/// Backups in a bucket. A file of more than 8 MiB is kept as parts and a small object that counts them, written last.
package struct S3BackupPlace: BackupPlace {
    private static let partSize = 8 << 20
    private static let countWord = "PWPARTS1 "

    private let client: S3Client
    private let pool: BlockingPool

    package init(
        location: S3Location, credentials: S3CredentialSource, pool: BlockingPool, clock: any WallClock, logger: Logger
    ) {
        client = S3Client(location: location, credentials: credentials, clock: clock, logger: logger)
        self.pool = pool
    }

    package var address: String { client.location.description }

    private func key(_ name: String) -> String { client.location.prefix + name }

    package func names(beginningWith prefix: String) async throws -> [String] {
        var names: [String] = []
        var token: String?
        let start = key(prefix)
        repeat {
            try Task.checkCancellation()
            var request = S3Request(.list, .GET, key: nil)
            request.query = [("list-type", "2"), ("max-keys", "1000"), ("prefix", start)]
            if let token { request.query.append(("continuation-token", token)) }
            let answer = try await client.send(request, backoff: .patient)
            guard let document = S3Document(answer.body.readableBytesView), document.name == "ListBucketResult" else {
                throw unreadable
            }
            for object in document.all("Contents") {
                guard let key = object["Key"], key.hasPrefix(client.location.prefix) else { continue }
                let name = String(key.dropFirst(client.location.prefix.count))
                guard !name.contains(".part"), !prefix.isEmpty || !name.contains("/") else { continue }
                names.append(name)
            }
            let next = document["IsTruncated"] == "true" ? document["NextContinuationToken"] : nil
            guard next == nil || next != token else { throw unreadable }
            token = next
        } while token != nil
        return names.sorted()
    }

    package func put(_ path: String, as name: String) async throws {
        let size = try await pool.run { try Self.size(of: path) }
        guard size > Self.partSize else {
            return try await put(try await piece(of: path, at: 0), as: name)
        }
        var count = 0
        while count * Self.partSize < size {
            try await put(try await piece(of: path, at: count * Self.partSize), as: Self.part(count, of: name))
            count += 1
        }
        try await put(ByteBuffer(string: "\(Self.countWord)\(count) \(size)"), as: name)
    }

    package func fetch(_ name: String, to path: String) async throws {
        let first = try await get(name)
        guard first.readableBytes < 100, String(buffer: first).hasPrefix(Self.countWord) else {
            return try await append(first, to: path, at: 0)
        }
        let words = String(buffer: first).split(separator: " ")
        guard words.count == 3, let count = Int(words[1]), let size = Int(words[2]), (1...1_000_000).contains(count)
        else { throw unreadable }
        var offset = 0
        for number in 0..<count {
            let part = try await get(Self.part(number, of: name))
            try await append(part, to: path, at: offset)
            offset += part.readableBytes
        }
        guard offset == size else { throw unreadable }
    }

    package func remove(_ name: String) async throws {
        var parts: [String] = []
        if let head = try? await get(name), head.readableBytes < 100, String(buffer: head).hasPrefix(Self.countWord),
            let count = String(buffer: head).split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            (1...1_000_000).contains(count)
        {
            parts = (0..<count).map { Self.part($0, of: name) }
        }
        // The object that counts them goes first: what stays after a crash is invisible.
        for name in [name] + parts {
            do {
                _ = try await client.send(S3Request(.delete, .DELETE, key: key(name)), expecting: [404])
            } catch let failure as S3Failure where failure.status == 404 {
                continue
            }
        }
    }

    private static func part(_ number: Int, of name: String) -> String {
        let digits = String(number)
        return "\(name).part\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)"
    }

    private func put(_ body: ByteBuffer, as name: String) async throws {
        var request = S3Request(.put, .PUT, key: key(name))
        request.body = body
        request.bodyHash = ContentDigest(hashing: body.readableBytesView).text
        // The checksum that every server checks, also one that takes the hash in the signature on trust.
        let sum = body.withUnsafeReadableBytes { bytes in
            var hash = Insecure.MD5()
            hash.update(bufferPointer: bytes)
            return Array(hash.finalize())
        }
        request.headers = [("content-md5", S3Encoding.base64(sum))]
        _ = try await client.send(request, backoff: .patient)
    }

    private func get(_ name: String) async throws -> ByteBuffer {
        do {
            return try await client.send(
                S3Request(.get, .GET, key: key(name)), backoff: .patient, expecting: [404]
            ).body
        } catch let failure as S3Failure where failure.status == 404 {
            throw ServiceError(.notFound, "there is no \(name) in \(address)")
        }
    }

    private var unreadable: ServiceError {
        ServiceError(
            .internalError, "what \(address) answered cannot be read", rule: "s3-answer",
            nextStep: "Check that the address is the one of the server's S3 service.")
    }

    private static func size(of path: String) throws -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemCallError("stat", on: path) }
        return Int(status.st_size)
    }

    private func piece(of path: String, at offset: Int) async throws -> ByteBuffer {
        try await pool.run {
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw SystemCallError("open", on: path) }
            defer { close(file) }
            var bytes = [UInt8](repeating: 0, count: Self.partSize)
            var filled = 0
            while filled < bytes.count {
                let count = bytes.withUnsafeMutableBytes {
                    pread(file, $0.baseAddress! + filled, $0.count - filled, offset + filled)
                }
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw SystemCallError("read", on: path) }
                if count == 0 { break }
                filled += count
            }
            return ByteBuffer(bytes: bytes.prefix(filled))
        }
    }

    private func append(_ bytes: ByteBuffer, to path: String, at offset: Int) async throws {
        let bytes = Array(bytes.readableBytesView)
        try await pool.run {
            let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (offset == 0 ? O_TRUNC : 0), 0o600)
            guard file >= 0 else { throw SystemCallError("open", on: path) }
            defer { close(file) }
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes {
                    pwrite(file, $0.baseAddress! + written, $0.count - written, offset + written)
                }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw SystemCallError("write", on: path) }
                written += count
            }
        }
    }
}
