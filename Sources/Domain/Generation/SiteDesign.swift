/// How a generated site looks: colours for light and dark, type and the arrangement of our own components.
package struct SiteDesign: Sendable, Equatable, Codable {
    /// The colours of one scheme.
    package struct Palette: Sendable, Equatable, Codable {
        package let background: DesignColour
        package let surface: DesignColour
        package let text: DesignColour
        package let muted: DesignColour
        package let accent: DesignColour
        /// Letters on the accent.
        package let onAccent: DesignColour
        /// A soft tone for pictures and shapes; no letters are ever on it.
        package let tint: DesignColour

        package init(
            background: DesignColour, surface: DesignColour, text: DesignColour, muted: DesignColour,
            accent: DesignColour, onAccent: DesignColour, tint: DesignColour
        ) {
            self.background = background
            self.surface = surface
            self.text = text
            self.muted = muted
            self.accent = accent
            self.onAccent = onAccent
            self.tint = tint
        }

        private enum CodingKeys: String, CodingKey {
            case background, surface, text, muted, accent, tint
            case onAccent = "on_accent"
        }

        /// Every pair of colours that letters are shown in: letters on background.
        package var pairs: [(name: String, letters: DesignColour, ground: DesignColour)] {
            [
                ("text on background", text, background), ("text on surface", text, surface),
                ("muted on background", muted, background), ("muted on surface", muted, surface),
                ("accent on background", accent, background), ("accent on surface", accent, surface),
                ("letters on accent", onAccent, accent),
            ]
        }

        /// The same with letters made darker or lighter until every pair reaches the contrast that WCAG asks for.
        package var readable: Palette {
            let grounds = [background, surface]
            let accent = accent.readable(on: grounds)
            return Palette(
                background: background, surface: surface, text: text.readable(on: grounds),
                muted: muted.readable(on: grounds), accent: accent, onAccent: onAccent.readable(on: [accent]),
                tint: tint)
        }
    }

    /// A pair of typefaces that every system has something of, and the ratio between sizes.
    package enum Typeface: String, Sendable, Hashable, CaseIterable, Codable {
        case serif, grotesque, humanist, slab, rounded
    }

    /// How the top of the home page and the blocks are arranged.
    package enum Layout: String, Sendable, Hashable, CaseIterable, Codable {
        /// Words beside a picture.
        case split
        /// Large words above a wide picture.
        case poster
        /// Everything in the middle, quiet.
        case centred
    }

    /// What the drawn pictures look like.
    package enum Motif: String, Sendable, Hashable, CaseIterable, Codable {
        case arches, hills, tiles, rings, rays, stems
    }

    package let name: String
    package let light: Palette
    package let dark: Palette
    package let typeface: Typeface
    /// Between two steps of the type scale, in hundredths: 115 to 150.
    package let scaleInHundredths: Int
    package let layout: Layout
    package let motif: Motif
    /// Of corners, in pixels: 0 to 32.
    package let radius: Int

    package init(
        name: String, light: Palette, dark: Palette, typeface: Typeface, scaleInHundredths: Int, layout: Layout,
        motif: Motif, radius: Int
    ) {
        self.name = name
        self.light = light
        self.dark = dark
        self.typeface = typeface
        self.scaleInHundredths = scaleInHundredths
        self.layout = layout
        self.motif = motif
        self.radius = radius
    }

    private enum CodingKeys: String, CodingKey {
        case name, light, dark, typeface, layout, motif, radius
        case scaleInHundredths = "scale_in_hundredths"
    }

    /// Why it cannot be used, in sentences; empty when it can.
    package var problems: [String] {
        var problems: [String] = []
        for (scheme, palette) in [("light", light), ("dark", dark)] {
            for pair in palette.pairs where pair.letters.contrast(with: pair.ground) < DesignColour.readableContrast {
                let ratio = (pair.letters.contrast(with: pair.ground) * 10).rounded() / 10
                problems.append("\(scheme): \(pair.name) has a contrast of \(ratio), and 4.5 is needed")
            }
        }
        if !(115...150).contains(scaleInHundredths) { problems.append("scale_in_hundredths must be 115 to 150") }
        if !(0...32).contains(radius) { problems.append("radius must be 0 to 32") }
        if !(1...40).contains(name.count)
            || name.contains(where: { !$0.isLetter && !$0.isNumber && $0 != " " && $0 != "-" })
        {
            problems.append("name must be 1 to 40 letters, digits, blanks and hyphens")
        }
        return problems
    }

    package var readable: SiteDesign {
        SiteDesign(
            name: name, light: light.readable, dark: dark.readable, typeface: typeface,
            scaleInHundredths: scaleInHundredths, layout: layout, motif: motif, radius: radius)
    }
}
