import Artifacts
import BlockingIO
import Domain
import Glibc
import Hummingbird
import HummingbirdCore
import NIOCore
import Synchronization

/// How many uploads are on the disk.
private final class UploadPlaces: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) { free = Mutex(count) }

    func enter() throws(ServiceError) {
        let isFree = free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
        guard isFree else {
            throw ServiceError(
                .unavailable, "too many uploads are under way", rule: "uploads",
                nextStep: "Send it again in a moment.", retryAfter: .seconds(5))
        }
    }

    func leave() { free.withLock { $0 += 1 } }
}

/// Stores bodies that are too large for memory in files that nobody else can read and that go with their request.
struct UploadStore: Sendable {
    private static let suffix = ".upload"
    private static let pieceSize = 256 << 10
    /// How many uploads may lie on the disk at once.
    private static let maximumUploads = 16

    let folder: String
    let limitInBytes: Int64
    private let makeFile: @Sendable (String) throws -> OpenFile
    private let pool = BlockingPool(label: "pagewright.uploads", width: 4)
    private let places = UploadPlaces(maximumUploads)

    /// Tests pass a `makeFile` whose disk is full.
    init(
        folder: String, limitInBytes: Int64,
        makeFile: @escaping @Sendable (String) throws -> OpenFile = {
            try OpenFile($0, flags: O_WRONLY | O_CREAT | O_EXCL)
        }
    ) {
        self.folder = folder
        self.limitInBytes = limitInBytes
        self.makeFile = makeFile
    }

    /// Throws `payloadTooLarge` as soon as that is known, and `storageFull`. The file is gone when this returns. `begin`
    /// is called when there is a place for the body, before any of it is read.
    func withUpload<Value: Sendable>(
        of body: RequestBody, length: Int64?, begin: () async throws -> Void = {},
        _ use: (StoredUpload) async throws -> Value
    ) async throws -> Value {
        if let length { try checkSize(length) }
        try places.enter()
        defer { places.leave() }
        let path = "\(folder)/\(Self.makeName())"
        let file = try await run { [folder, makeFile] in
            try Self.makeFolder(folder)
            return try makeFile(path)
        }
        do {
            try await begin()
            let upload = try await store(body, into: file)
            let value = try await use(upload)
            await remove(path)
            return value
        } catch {
            await remove(path)
            throw error
        }
    }

    /// Deletes what a coordinator that died left behind.
    func removeLeftovers() async throws {
        try await run { [folder] in
            guard let listing = opendir(folder) else { return }
            defer { closedir(listing) }
            while let entry = readdir(listing) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name.hasSuffix(Self.suffix) { unlink("\(folder)/\(name)") }
            }
        }
    }

    private func store(_ body: RequestBody, into file: OpenFile) async throws -> StoredUpload {
        var hasher = ContentHasher()
        var pending = ByteBuffer()
        for try await piece in body {
            hasher.update(piece)
            try checkSize(hasher.sizeInBytes)
            pending.writeImmutableBuffer(piece)
            if pending.readableBytes >= Self.pieceSize {
                try await write(pending, to: file)
                pending.clear()
            }
        }
        try await write(pending, to: file)
        try await run { try file.close() }
        return StoredUpload(path: file.path, sizeInBytes: hasher.sizeInBytes, digest: hasher.finish())
    }

    private func write(_ piece: ByteBuffer, to file: OpenFile) async throws {
        try await run { try piece.withUnsafeReadableBytes { try file.write($0) } }
    }

    private func checkSize(_ size: Int64) throws {
        guard size <= limitInBytes else {
            throw ServiceError(
                .payloadTooLarge, "the upload is larger than \(limitInBytes >> 20) MiB", rule: "upload-size")
        }
    }

    /// Deletes the file also for a request that was given up.
    private func remove(_ path: String) async {
        await Task.detached { [pool] in _ = try? await pool.run { unlink(path) } }.value
    }

    private func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await pool.run(body)
        } catch let error as SystemCallError where error.isStorageFull {
            throw ServiceError(
                .storageFull, "the upload does not fit on the coordinator's disk", rule: "storage",
                nextStep: "Ask an operator to make room, then send it again.", cause: error)
        }
    }

    private static func makeFolder(_ folder: String) throws {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw SystemCallError("mkdir", on: folder) }
    }

    private static func makeName() -> String {
        var generator = SystemRandomNumberGenerator()
        return Hexadecimal.text(of: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }) + suffix
    }
}
