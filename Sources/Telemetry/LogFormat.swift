/// How a line of the log looks.
package enum LogFormat: String, Sendable, CaseIterable {
    /// `time=… level=notice message="Leased job" job.id=…`: for people, and for `grep`.
    case logfmt
    /// One JSON object a line: for collectors.
    case json

    /// One line, with its line break. Values longer than 8 KiB are cut.
    func line(_ fields: [(key: String, value: String)]) -> String {
        switch self {
        case .logfmt:
            fields.map { "\($0.key)=\(Self.logfmtValue(Self.cut($0.value)))" }.joined(separator: " ") + "\n"
        case .json:
            "{" + fields.map { "\(Self.quoted($0.key)):\(Self.quoted(Self.cut($0.value)))" }.joined(separator: ",")
                + "}\n"
        }
    }

    private static let maximumValueLength = 8192

    private static func cut(_ value: String) -> String {
        value.utf8.count <= maximumValueLength
            ? value : String(String.UnicodeScalarView(value.unicodeScalars.prefix(maximumValueLength / 4))) + "…"
    }

    private static func logfmtValue(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x3d && $0 != 0x5c }
        return isPlain ? value : quoted(value)
    }

    /// A JSON string. Control characters are escaped, so that no value can begin a line of its own.
    private static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _
            where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                || (0x2028...0x2029).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// Whether some program would take the character for the end of a line, or for a command to a terminal.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || (0x2028...0x2029).contains(scalar.value)
    }
}
