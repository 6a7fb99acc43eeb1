import Domain

/// What a pax header says about the entry that follows: lines of `<length> <key>=<value>\n`.
struct PaxRecords {
    private(set) var path: [UInt8]?
    private(set) var sizeInBytes: Int64?
    private(set) var isSparse = false

    /// Throws `archive-damaged` for anything that is not such a line. Keys that do not matter to a site are skipped.
    mutating func add(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard digits.count <= 8, let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 2, length <= rest.count, rest[rest.startIndex + digits.count] == 0x20
            else { throw Self.malformed }
            let line = rest.prefix(length).dropFirst(digits.count + 1)
            guard line.last == 0x0a, let equals = line.firstIndex(of: UInt8(ascii: "=")) else { throw Self.malformed }
            try set(String(decoding: line[..<equals], as: UTF8.self), to: line[(equals + 1)...].dropLast())
            rest = rest.dropFirst(length)
        }
    }

    private mutating func set(_ key: String, to value: ArraySlice<UInt8>) throws {
        switch key {
        case "path": path = Array(value)
        case "size":
            guard let size = Int64(String(decoding: value, as: UTF8.self)), size >= 0 else { throw Self.malformed }
            sizeInBytes = size
        default:
            // GNU.sparse.major, SUN.holesdata, SCHILY.realsize and their kin: the content is not what follows.
            if key.hasPrefix("GNU.sparse.") || key == "SUN.holesdata" || key == "SCHILY.realsize" { isSparse = true }
        }
    }

    private static let malformed = ServiceError.damagedArchive("an extended header cannot be read")
}
