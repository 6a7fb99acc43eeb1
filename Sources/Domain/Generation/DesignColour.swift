/// A colour of a design: `#` and six digits. Contrast is computed as WCAG 2 says.
package struct DesignColour: Sendable, Hashable, Codable, CustomStringConvertible {
    package let red: UInt8
    package let green: UInt8
    package let blue: UInt8

    /// What WCAG 2.1 AA asks for between letters and what is behind them.
    package static let readableContrast = 4.5
    package static let black = DesignColour(red: 0, green: 0, blue: 0)
    package static let white = DesignColour(red: 255, green: 255, blue: 255)

    package init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// `nil` unless the text is `#` and six hexadecimal digits.
    package init?(_ text: String) {
        guard text.hasPrefix("#"), let bytes = Hexadecimal.bytes(of: text.dropFirst().lowercased()), bytes.count == 3
        else { return nil }
        self.init(red: bytes[0], green: bytes[1], blue: bytes[2])
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let colour = DesignColour(text) else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(20))\" is no colour such as #1f7a5c", field: "colour",
                rule: "colour-format")
        }
        self = colour
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String { "#" + Hexadecimal.text(of: [red, green, blue]) }

    /// From 0 (black) to 1 (white), as WCAG defines it.
    package var relativeLuminance: Double {
        func linear(_ value: UInt8) -> Double { Self.linearValues[Int(value)] }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// From 1 to 21.
    package func contrast(with other: DesignColour) -> Double {
        let (first, second) = (relativeLuminance, other.relativeLuminance)
        return (max(first, second) + 0.05) / (min(first, second) + 0.05)
    }

    /// The nearest colour towards black or white, whichever comes first, that is readable on all of `grounds`; black or
    /// white itself when none is.
    package func readable(on grounds: [DesignColour], atLeast ratio: Double = readableContrast) -> DesignColour {
        func reads(_ colour: DesignColour) -> Bool { grounds.allSatisfy { colour.contrast(with: $0) >= ratio } }
        if reads(self) { return self }
        for step in 1...50 {
            for goal in [Self.black, .white] {
                let colour = mixed(with: goal, inHundredths: step * 2)
                if reads(colour) { return colour }
            }
        }
        return grounds.map(\.relativeLuminance).reduce(0, +) / Double(max(1, grounds.count)) > 0.18 ? .black : .white
    }

    /// This colour with `share` hundredths of another one.
    package func mixed(with other: DesignColour, inHundredths share: Int) -> DesignColour {
        func mix(_ own: UInt8, _ foreign: UInt8) -> UInt8 {
            UInt8((Int(own) * (100 - share) + Int(foreign) * share + 50) / 100)
        }
        return DesignColour(red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
    }

    /// Of sRGB, each of the 256 values: the standard library has no power function, so it is computed once here.
    private static let linearValues: [Double] = (0...255).map { value in
        let share = Double(value) / 255
        return share <= 0.04045 ? share / 12.92 : power(((share + 0.055) / 1.055))
    }

    /// `base` to the power of 2.4: its square times the fifth root of its square.
    private static func power(_ base: Double) -> Double {
        let square = base * base
        // Newton's method for the fifth root; converges from above for values from 0 to 1.
        var root = 1.0
        for _ in 0..<60 {
            let fourth = root * root * root * root
            root -= (root * fourth - square) / (5 * fourth)
        }
        return square * root
    }
}
