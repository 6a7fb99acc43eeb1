import CPostgres
import Database

/// The types of columns that are understood, by their number in PostgreSQL's catalogue.
///
/// Answers come in binary form: integers as they are on the wire, text as UTF-8, bytes as bytes. Parameters go as text,
/// because the server infers the type of `$1` from its place (the `1` in `$1 = 1` is 32 bits wide, a BIGINT column 64)
/// and text fits all of them; bytes go in binary form.
enum PostgresType: Oid {
    case boolean = 16
    case bytes = 17
    case name = 19
    case bigint = 20
    case smallint = 21
    case integer = 23
    case text = 25
    case oid = 26
    case real = 700
    case double = 701
    case unknown = 705
    case character = 1042
    case varchar = 1043
    case numeric = 1700

    /// `nil` when the bytes are no value of the type.
    func value(of bytes: UnsafeRawBufferPointer) -> SQLValue? {
        switch self {
        case .boolean: bytes.count == 1 ? .integer(bytes[0] == 0 ? 0 : 1) : nil
        case .smallint: Self.integer(bytes, Int16.self)
        case .integer: Self.integer(bytes, Int32.self)
        case .oid: Self.integer(bytes, UInt32.self)
        case .bigint: Self.integer(bytes, Int64.self)
        case .numeric: Self.wholeNumber(bytes)
        case .text, .varchar, .character, .name, .unknown: String(validating: bytes, as: UTF8.self).map { .text($0) }
        case .bytes: .blob(Array(bytes))
        // No column of ours holds one; a reader of the column will refuse the text. SQLite's driver does the same.
        case .real: bytes.count == 4 ? .text(String(Float(bitPattern: Self.load(bytes, UInt32.self)))) : nil
        case .double: bytes.count == 8 ? .text(String(Double(bitPattern: Self.load(bytes, UInt64.self)))) : nil
        }
    }

    private static func load<Number: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, _ type: Number.Type, at offset: Int = 0
    ) -> Number {
        Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    private static func integer<Number: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, _ type: Number.Type
    ) -> SQLValue? {
        bytes.count == MemoryLayout<Number>.size ? .integer(Int64(load(bytes, type))) : nil
    }

    /// The sum of a BIGINT column is a NUMERIC in PostgreSQL: groups of four decimal digits. Only whole numbers that
    /// fit are integers for us.
    private static func wholeNumber(_ bytes: UnsafeRawBufferPointer) -> SQLValue? {
        guard bytes.count >= 8 else { return nil }
        let count = Int(load(bytes, Int16.self))
        let weight = Int(load(bytes, Int16.self, at: 2))
        let sign = load(bytes, UInt16.self, at: 4)
        guard count >= 0, count <= weight + 1, bytes.count == 8 + 2 * count, sign == 0 || sign == 0x4000 else {
            return count == 0 && bytes.count == 8 && sign == 0 ? .integer(0) : nil
        }
        var number: Int64 = 0
        for group in 0...max(0, weight) where count > 0 {
            let digits = group < count ? Int64(load(bytes, Int16.self, at: 8 + 2 * group)) : 0
            let (product, overflow) = number.multipliedReportingOverflow(by: 10_000)
            let (sum, overflow2) = product.subtractingReportingOverflow(digits)
            guard !overflow, !overflow2 else { return nil }
            number = sum
        }
        // Counted below zero, where there is room for one more.
        guard sign == 0 else { return .integer(number) }
        return number == .min ? nil : .integer(-number)
    }
}
