/// The pieces of the text format of Prometheus, version 0.0.4.
enum PrometheusText {
    static func line(_ name: String, _ labels: String, _ value: Double) -> String {
        labels.isEmpty ? "\(name) \(number(value))\n" : "\(name){\(labels)} \(number(value))\n"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value.rounded() == value && value.magnitude < 1e15 ? String(Int64(value)) : "\(value)"
    }

    /// `a="1",b="2"`, sorted, so that the same labels are the same text.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\(name($0.0))=\"\(escapedValue($0.1))\"" }.sorted().joined(separator: ",")
    }

    /// Replaces what a name may not contain by `_`.
    static func name(_ text: String) -> String {
        let bytes = text.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: byte
            default: 0x5f
            }
        }
        let name = String(decoding: bytes, as: UTF8.self)
        guard let first = bytes.first, !(0x30...0x39).contains(first) else { return "_" + name }
        return name
    }

    static func escapedHelp(_ text: String) -> String { escaped(text, quote: false) }

    private static func escapedValue(_ text: String) -> String { escaped(text, quote: true) }

    private static func escaped(_ text: String, quote: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quote: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
