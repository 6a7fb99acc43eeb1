import Crypto
import Domain
import FoundationEssentials
import Glibc
import Synchronization

/// A file that only the passphrase opens, and in which every byte is vouched for.
///
/// ```
/// PWSEAL1\n
/// length of the header, 4 bytes; the header: format, purpose, salt, sealed key, file (JSON)
/// pieces: length with the tag, 4 bytes, the highest bit set in the last one; AES-256-GCM
/// ```
///
/// The nonce of a piece is its number; the header and whether it is the last piece are authenticated with each. So pieces
/// cannot be changed, swapped, left out or cut off unnoticed. All of it blocks.
package enum SealedFile {
    static let magic = Array("PWSEAL1\n".utf8)
    static let pieceSize = 256 << 10
    static let lastBit: UInt32 = 1 << 31
    static let largestHeader = 16_384

    struct Header: Codable {
        var format = 1
        var purpose: String
        var salt: String
        var key: String
        var file: String
    }

    static func nonce(_ number: UInt64) throws -> AES.GCM.Nonce {
        var bytes = [UInt8](repeating: 0, count: 12)
        for index in 0..<8 { bytes[4 + index] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index)) }
        return try AES.GCM.Nonce(data: bytes)
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static func damaged(_ path: String, _ what: String, cause: (any Error)? = nil) -> ServiceError {
        ServiceError(
            .validationFailed, "\(path) is damaged: \(what)", rule: "seal-damaged",
            nextStep: "Use another copy, or an older backup.", cause: cause)
    }
}

/// Writes a ``SealedFile``.
package final class SealedFileWriter: Sendable {
    private struct State {
        var descriptor: Int32
        var pending: [UInt8] = []
        var number: UInt64 = 0
        var size: Int64 = 0
    }

    private let path: String
    private let key: SymmetricKey
    private let header: [UInt8]
    private let state: Mutex<State>

    /// Makes the file; one that is there is replaced. `purpose` must be the same when it is read.
    package init(path: String, purpose: String, key sealKey: SealKey) throws {
        let file = SealKey.randomBytes(32)
        self.path = path
        key = sealKey.fileKey(file, purpose: purpose)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = try encoder.encode(
            SealedFile.Header(
                purpose: purpose, salt: Hexadecimal.text(of: sealKey.salt), key: Hexadecimal.text(of: sealKey.sealed),
                file: Hexadecimal.text(of: file)))
        header = SealedFile.magic + SealedFile.bigEndian(UInt32(text.count)) + Array(text)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("make", path) }
        state = Mutex(State(descriptor: descriptor))
        try state.withLock { try self.put(header, &$0) }
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
    }

    package func write(_ bytes: [UInt8]) throws {
        try state.withLock { state in
            state.pending += bytes
            // One piece is always kept back: the last one is marked.
            while state.pending.count > SealedFile.pieceSize {
                try self.seal(Array(state.pending.prefix(SealedFile.pieceSize)), isLast: false, &state)
                state.pending.removeFirst(SealedFile.pieceSize)
            }
        }
    }

    /// Writes what is left and flushes it; returns how large the file is.
    package func finish() throws -> Int64 {
        try state.withLock { state in
            try self.seal(state.pending, isLast: true, &state)
            state.pending = []
            guard fsync(state.descriptor) == 0 else { throw Self.failure("flush", path) }
            close(state.descriptor)
            state.descriptor = -1
            return state.size
        }
    }

    private func seal(_ bytes: [UInt8], isLast: Bool, _ state: inout State) throws {
        let box = try AES.GCM.seal(
            bytes, using: key, nonce: try SealedFile.nonce(state.number), authenticating: header + [isLast ? 1 : 0])
        state.number += 1
        let length = UInt32(box.ciphertext.count + box.tag.count)
        try put(
            SealedFile.bigEndian(isLast ? length | SealedFile.lastBit : length) + Array(box.ciphertext)
                + Array(box.tag), &state)
    }

    private func put(_ bytes: [UInt8], _ state: inout State) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(state.descriptor, $0.baseAddress! + written, $0.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write", path) }
            written += count
        }
        state.size += Int64(bytes.count)
    }

    static func failure(_ attempt: String, _ path: String) -> ServiceError {
        let number = errno
        return ServiceError(
            number == ENOSPC || number == EDQUOT ? .storageFull : .failedPrecondition,
            "cannot \(attempt) \(path): \(String(cString: strerror(number)))")
    }
}

/// Reads a ``SealedFile``.
package final class SealedFileReader: Sendable {
    private struct State {
        var descriptor: Int32
        var number: UInt64 = 0
        var isOver = false
        /// What was opened and not asked for yet.
        var buffer: ArraySlice<UInt8> = []
    }

    private let path: String
    private let key: SymmetricKey
    private let header: [UInt8]
    private let state: Mutex<State>

    /// Throws `unauthenticated` for another passphrase, and `validationFailed` for what is no such file or of another
    /// purpose.
    package init(path: String, purpose: String, keys: SealKeyRing) throws {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SealedFileWriter.failure("open", path) }
        do {
            let start = try Self.read(SealedFile.magic.count + 4, from: descriptor, path)
            guard start.count == SealedFile.magic.count + 4, start.starts(with: SealedFile.magic) else {
                throw SealedFile.damaged(path, "it does not begin like a sealed file")
            }
            let length = Int(start.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            guard length <= SealedFile.largestHeader else { throw SealedFile.damaged(path, "its header is too long") }
            let text = try Self.read(length, from: descriptor, path)
            guard text.count == length, let read = try? JSONDecoder().decode(SealedFile.Header.self, from: Data(text)),
                read.format == 1, let salt = Hexadecimal.bytes(of: read.salt),
                let sealed = Hexadecimal.bytes(of: read.key), let file = Hexadecimal.bytes(of: read.file)
            else { throw SealedFile.damaged(path, "its header cannot be read") }
            guard read.purpose == purpose else {
                throw SealedFile.damaged(path, "it is a \(read.purpose.prefix(40)), not a \(purpose)")
            }
            header = start + text
            key = try keys.key(salt: salt, sealed: sealed).fileKey(file, purpose: purpose)
        } catch {
            close(descriptor)
            throw error
        }
        state = Mutex(State(descriptor: descriptor))
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
    }

    /// The next `count` bytes, fewer only at the end. What it returns is genuine.
    package func read(_ count: Int) throws -> [UInt8] {
        try state.withLock { state in
            while state.buffer.count < count, !state.isOver {
                let piece = try self.nextPiece(&state)
                state.buffer += piece
            }
            let taken = Array(state.buffer.prefix(count))
            state.buffer = state.buffer.dropFirst(taken.count)
            return taken
        }
    }

    private func nextPiece(_ state: inout State) throws -> [UInt8] {
        let start = try Self.read(4, from: state.descriptor, path)
        guard start.count == 4 else { throw SealedFile.damaged(path, "it was cut off") }
        let word = start.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let isLast = word & SealedFile.lastBit != 0
        let length = Int(word & ~SealedFile.lastBit)
        guard (16...SealedFile.pieceSize + 16).contains(length) else {
            throw SealedFile.damaged(path, "piece \(state.number) has an impossible length")
        }
        let bytes = try Self.read(length, from: state.descriptor, path)
        guard bytes.count == length else { throw SealedFile.damaged(path, "it was cut off") }
        do {
            let box = try AES.GCM.SealedBox(
                nonce: try SealedFile.nonce(state.number), ciphertext: bytes.dropLast(16), tag: bytes.suffix(16))
            let opened = try AES.GCM.open(box, using: key, authenticating: header + [isLast ? 1 : 0])
            state.number += 1
            if isLast {
                guard try Self.read(1, from: state.descriptor, path).isEmpty else {
                    throw SealedFile.damaged(path, "something follows its end")
                }
                state.isOver = true
            }
            return Array(opened)
        } catch let error as ServiceError {
            throw error
        } catch {
            throw SealedFile.damaged(path, "piece \(state.number) is not what was written", cause: error)
        }
    }

    private static func read(_ count: Int, from descriptor: Int32, _ path: String) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress! + filled, $0.count - filled)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw SealedFileWriter.failure("read", path) }
            if got == 0 { break }
            filled += got
        }
        return Array(bytes.prefix(filled))
    }
}
