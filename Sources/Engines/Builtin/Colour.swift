/// A colour that CSS knows, as it is written into a style sheet.
struct Colour: Equatable, Sendable {
    let css: String

    /// A CSS name in any case and with blanks (`Dark Blue`), or `#` with 3, 4, 6 or 8 digits.
    init?(_ text: String) {
        let lower = text.lowercased()
        if lower.hasPrefix("#") {
            let digits = lower.dropFirst()
            guard [3, 4, 6, 8].contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                return nil
            }
            css = lower
            return
        }
        let name = String(lower.filter { !$0.isWhitespace && $0 != "-" })
        guard Self.names.contains(name) else { return nil }
        css = name
    }

    private static let names = Set(
        """
        aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown burlywood cadetblue
        chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey
        darkkhaki darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen darkslateblue darkslategray
        darkslategrey darkturquoise darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen
        fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki lavender
        lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan lightgoldenrodyellow lightgray lightgreen lightgrey
        lightpink lightsalmon lightseagreen lightskyblue lightslategray lightslategrey lightsteelblue lightyellow lime limegreen linen
        magenta maroon mediumaquamarine mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen
        mediumturquoise mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab orange
        orangered orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple
        rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue slategray
        slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke yellow yellowgreen
        """.split { $0.isWhitespace }.map(String.init))
}

/// What a colour is for.
enum ColourRole: String, Sendable, CaseIterable {
    case background, text, accent, primary, link, button, heading

    /// What people call it.
    init?(word: String) {
        switch word {
        case "background", "backgrounds", "bg", "backdrop": self = .background
        case "text", "font", "letters", "lettering", "writing", "type": self = .text
        case "accent", "accents", "highlight", "brand": self = .accent
        case "primary", "main", "theme": self = .primary
        case "link", "links": self = .link
        case "button", "buttons": self = .button
        case "heading", "headings", "headline", "headlines": self = .heading
        default: return nil
        }
    }

    /// Custom properties that style sheets use for it, without the dashes. The first group of which a site has one is used.
    var propertyNames: [Set<String>] {
        let own = Self.variants(of: rawValue)
        switch self {
        case .background:
            return [
                own.union(Self.variants(of: "bg")),
                ["page-background", "page-bg", "body-background", "body-bg", "paper"],
            ]
        case .text:
            return [
                own.union(Self.variants(of: "foreground")).union(Self.variants(of: "fg")),
                ["ink", "body-color", "font-color", "body-text"],
            ]
        case .accent: return [own, Self.variants(of: "brand").union(["highlight"]), Self.variants(of: "primary")]
        case .primary: return [own, Self.variants(of: "accent"), Self.variants(of: "brand")]
        case .link: return [own.union(Self.variants(of: "links"))]
        case .button:
            return [
                own.union(Self.variants(of: "btn")).union(["button-background", "button-bg", "btn-bg"]),
                Self.variants(of: "accent"), Self.variants(of: "primary"),
            ]
        case .heading: return [own.union(Self.variants(of: "headings"))]
        }
    }

    /// Whether dark mode has its own, which must stay readable: a light background there would hide light text.
    var staysInDarkMode: Bool { self == .background || self == .text }

    /// What is added to a style sheet without custom properties.
    func rule(_ colour: Colour) -> String {
        switch self {
        case .background: "body { background: \(colour.css); }"
        case .text: "body { color: \(colour.css); }"
        case .accent, .primary:
            "a { color: \(colour.css); }\nbutton, .button, .btn { background-color: \(colour.css); border-color: \(colour.css); }"
        case .link: "a { color: \(colour.css); }"
        case .button: "button, .button, .btn { background-color: \(colour.css); border-color: \(colour.css); }"
        case .heading: "h1, h2, h3, h4, h5, h6 { color: \(colour.css); }"
        }
    }

    private static func variants(of name: String) -> Set<String> {
        [
            name, "\(name)-color", "\(name)-colour", "color-\(name)", "colour-\(name)", "\(name)color", "clr-\(name)",
            "c-\(name)",
        ]
    }
}
