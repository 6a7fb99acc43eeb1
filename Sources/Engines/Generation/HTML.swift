/// A piece of HTML. Text becomes one only by ``init(text:)``, which escapes it, so nothing that somebody wrote can
/// become a tag.
struct HTML: Sendable, Equatable {
    private(set) var source: String

    static let empty = HTML(trusted: "")

    /// Only for what stands in this program.
    init(trusted source: String) { self.source = source }

    init(text: String) { source = Self.escaped(text) }

    /// An element; attributes that are `nil` are left out, and those that are empty are written as `name=""`.
    static func element(
        _ name: StaticString, _ attributes: KeyValuePairs<String, String?> = [:], _ children: HTML...
    ) -> HTML {
        element(name, attributes, children)
    }

    static func element(
        _ name: StaticString, _ attributes: KeyValuePairs<String, String?> = [:], _ children: [HTML]
    ) -> HTML {
        HTML(trusted: opening(name, attributes) + children.map(\.source).joined() + "</\(name)>")
    }

    /// An element without content, such as `img`.
    static func void(_ name: StaticString, _ attributes: KeyValuePairs<String, String?>) -> HTML {
        HTML(trusted: opening(name, attributes))
    }

    /// An element whose children stand on lines of their own.
    static func block(
        _ name: StaticString, _ attributes: KeyValuePairs<String, String?> = [:], _ children: [HTML]
    ) -> HTML {
        let inner = children.filter { !$0.source.isEmpty }.map { $0.indented.source }.joined(separator: "\n")
        return HTML(trusted: opening(name, attributes) + "\n" + inner + "\n</\(name)>")
    }

    private static func opening(_ name: StaticString, _ attributes: KeyValuePairs<String, String?>) -> String {
        var text = "<\(name)"
        for (key, value) in attributes {
            if let value { text += " \(key)=\"\(escaped(value))\"" }
        }
        return text + ">"
    }

    private var indented: HTML {
        HTML(
            trusted: source.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(
                separator: "\n"))
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\r", "\t": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
