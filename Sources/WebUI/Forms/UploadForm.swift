import BlockingIO
import Domain
import Foundation
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// A form with one file (`multipart/form-data`). The file is behind the fields and goes to the disk as it arrives, once
/// the fields were judged.
struct UploadForm: Sendable {
    static let fileField = "archive"
    /// All fields together.
    private static let fieldsLimit = 64 << 10
    private static let headLimit = 8 << 10

    let folder: String
    let limitInBytes: Int64
    private let pool = BlockingPool(label: "pagewright.forms", width: 2)

    init(folder: String, limitInBytes: Int64) {
        self.folder = folder
        self.limitInBytes = limitInBytes
    }

    /// `admit` judges the fields before the file is stored. The file is gone when this returns; its path is `nil` when
    /// none was chosen.
    func withFile<Value>(
        of request: Request, admit: (FormFields) async throws -> Void,
        _ use: (FormFields, _ path: String?) async throws -> Value
    ) async throws -> Value {
        guard let boundary = Self.boundary(request.headers[.contentType] ?? "") else {
            throw ServiceError(.invalidArgument, "the form is not one with a file", rule: "form-encoding")
        }
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }) { try checkSize(length) }
        var reader = MultipartReader(body: request.body, boundary: boundary)
        var fields: [(name: String, value: String)] = []
        var size = 0
        while let head = try await reader.nextPart(limit: Self.headLimit) {
            if head.name == Self.fileField {
                let form = FormFields(fields)
                try await admit(form)
                return try await store(&reader, form, use)
            }
            let value = try await reader.collectPart(limit: Self.fieldsLimit)
            size += value.count
            guard size <= Self.fieldsLimit else {
                throw ServiceError(.payloadTooLarge, "the form is too large", rule: "body-size")
            }
            fields.append((head.name, String(decoding: value, as: UTF8.self)))
        }
        let form = FormFields(fields)
        try await admit(form)
        return try await use(form, nil)
    }

    private func store<Value>(
        _ reader: inout MultipartReader, _ form: FormFields,
        _ use: (FormFields, _ path: String?) async throws -> Value
    ) async throws -> Value {
        let path = "\(folder)/\(SessionCookies.makeToken()).upload"
        let file = try await run { [folder] in
            if mkdir(folder, 0o700) != 0, errno != EEXIST { throw SystemCallError("mkdir", on: folder) }
            return try OpenFile(path, flags: O_WRONLY | O_CREAT | O_EXCL)
        }
        do {
            var size: Int64 = 0
            while let piece = try await reader.nextPiece() {
                size += Int64(piece.count)
                try checkSize(size)
                try await run { try piece.withUnsafeBytes { try file.write($0) } }
            }
            try await run { try file.close() }
            let value = try await use(form, size == 0 ? nil : path)
            _ = await pool.runEvenIfCancelled { unlink(path) }
            return value
        } catch {
            _ = await pool.runEvenIfCancelled { unlink(path) }
            throw error
        }
    }

    private func checkSize(_ size: Int64) throws {
        guard size <= limitInBytes else {
            throw ServiceError(
                .payloadTooLarge, "the upload is larger than \(limitInBytes >> 20) MiB", rule: "upload-size")
        }
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

    static func boundary(_ contentType: String) -> String? {
        let parts = contentType.split(separator: ";").map { $0.trimmed }
        guard parts.first?.lowercased() == "multipart/form-data",
            let value = parts.dropFirst().first(where: { $0.lowercased().hasPrefix("boundary=") })
        else { return nil }
        let text = value.dropFirst("boundary=".count).trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        return (1...70).contains(text.utf8.count) ? text : nil
    }
}
