import Database

/// The values of `$1`, `$2` … as libpq takes them: one buffer, and where in it each value begins.
struct PostgresParameters {
    private var buffer: [UInt8] = []
    /// `nil` for NULL.
    private var offsets: [Int?] = []
    private var lengths: [CInt] = []
    private var formats: [CInt] = []

    /// Throws ``SQLError`` `constraintViolation` for a text with the character U+0000.
    init(_ values: [SQLValue]) throws(SQLError) {
        for value in values {
            switch value {
            case .null: append(nil as [UInt8]?)
            case .integer(let number): append(String(number).utf8)
            case .text(let text): append(try SQLValue.checkedText(text).utf8)
            case .blob(let bytes): append(bytes, isBinary: true)
            }
        }
    }

    private mutating func append(_ bytes: (some Collection<UInt8>)?, isBinary: Bool = false) {
        offsets.append(bytes == nil ? nil : buffer.count)
        lengths.append(CInt(bytes?.count ?? 0))
        formats.append(isBinary ? 1 : 0)
        guard let bytes else { return }
        buffer.append(contentsOf: bytes)
        // Text ends with a null for libpq.
        buffer.append(0)
    }

    /// Hands values, lengths, formats and their number to libpq, which copies them.
    mutating func with<Value>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<CInt>?, UnsafePointer<CInt>?, CInt) -> Value
    ) -> Value {
        buffer.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = offsets.map { offset in offset.flatMap { position in start.map { $0 + position } } }
            return values.withUnsafeBufferPointer { values in
                body(values.baseAddress, lengths, formats, CInt(offsets.count))
            }
        }
    }
}
