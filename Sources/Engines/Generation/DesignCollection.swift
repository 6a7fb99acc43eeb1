import Domain

/// The looks that the built-in composer chooses from: by the words of the style, otherwise by the kind of business and,
/// so that not all of a kind look the same, by the name.
enum DesignCollection {
    static func design(for input: DesignInput) -> SiteDesign {
        let hash = StableHash(input.brief.businessName)
        let style = (input.brief.style ?? "").lowercased()
        let named = palettes.filter { palette in palette.words.contains { style.contains($0) } }
        let usual = Self.usual[input.kind] ?? ["harbour"]
        let palette =
            named.isEmpty
            ? palettes.first { $0.name == hash.choice(usual) } ?? palettes[0] : hash.choice(named, salt: 1)
        return SiteDesign(
            name: palette.name, light: palette.light, dark: palette.dark,
            typeface: typeface(style, input.kind, hash), scaleInHundredths: scale(style),
            layout: layout(style, input.kind, hash), motif: motif(input.kind, hash), radius: radius(style, hash)
        ).readable
    }

    private static func has(_ style: String, _ words: String...) -> Bool { words.contains { style.contains($0) } }

    private static func typeface(_ style: String, _ kind: BusinessKind, _ hash: StableHash) -> SiteDesign.Typeface {
        if has(style, "playful", "friendly", "verspielt", "freundlich", "fun", "child", "kind") { return .rounded }
        if has(style, "elegant", "classic", "klassisch", "traditional", "edel", "refined") { return .serif }
        if has(style, "modern", "minimal", "clean", "schlicht", "technical", "bold") { return .grotesque }
        if has(style, "warm", "calm", "natural", "ruhig", "natürlich") { return .humanist }
        if has(style, "rustic", "robust", "vintage", "handmade", "rustikal") { return .slab }
        let choices: [SiteDesign.Typeface] =
            switch kind {
            case .restaurant: [.serif, .humanist, .slab]
            case .craft: [.slab, .grotesque]
            case .portfolio: [.grotesque, .serif]
            case .practice: [.humanist, .serif]
            case .club: [.rounded, .grotesque, .slab]
            case .shop: [.serif, .humanist, .rounded]
            case .event: [.grotesque, .slab]
            case .business: [.grotesque, .humanist]
            }
        return hash.choice(choices, salt: 2)
    }

    private static func scale(_ style: String) -> Int {
        if has(style, "bold", "loud", "kräftig", "playful") { return 136 }
        if has(style, "calm", "quiet", "minimal", "ruhig", "schlicht") { return 125 }
        return 131
    }

    private static func layout(_ style: String, _ kind: BusinessKind, _ hash: StableHash) -> SiteDesign.Layout {
        if has(style, "elegant", "calm", "ruhig", "edel", "quiet") { return .centred }
        if has(style, "bold", "kräftig", "loud") { return .poster }
        let choices: [SiteDesign.Layout] =
            switch kind {
            case .portfolio, .event: [.poster, .poster, .split]
            case .practice: [.split, .centred]
            default: [.split, .poster, .centred]
            }
        return hash.choice(choices, salt: 3)
    }

    private static func motif(_ kind: BusinessKind, _ hash: StableHash) -> SiteDesign.Motif {
        let choices: [SiteDesign.Motif] =
            switch kind {
            case .restaurant: [.arches, .stems, .rays]
            case .craft: [.tiles, .arches]
            case .portfolio: [.tiles, .rings]
            case .practice: [.hills, .stems, .rings]
            case .club: [.hills, .rays, .tiles]
            case .shop: [.arches, .stems, .tiles]
            case .event: [.rays, .rings]
            case .business: [.hills, .tiles, .rings]
            }
        return hash.choice(choices, salt: 4)
    }

    private static func radius(_ style: String, _ hash: StableHash) -> Int {
        if has(style, "playful", "friendly", "verspielt", "soft", "rund") { return 24 }
        if has(style, "minimal", "bold", "technical", "schlicht") { return 0 }
        return hash.choice([4, 10, 18], salt: 5)
    }

    // MARK: Colours

    struct NamedPalette {
        let name: String
        /// Words of a style that ask for it.
        let words: [String]
        let light: SiteDesign.Palette
        let dark: SiteDesign.Palette
    }

    private static let usual: [BusinessKind: [String]] = [
        .restaurant: ["hearth", "rosewood", "meadow", "clay"], .craft: ["clay", "slate", "meadow", "harbour"],
        .portfolio: ["ink", "plum", "slate"], .practice: ["lagoon", "harbour", "meadow", "plum"],
        .club: ["sunday", "meadow", "harbour", "rosewood"], .shop: ["rosewood", "hearth", "lagoon", "plum"],
        .event: ["sunday", "plum", "ink", "rosewood"], .business: ["slate", "harbour", "lagoon", "ink"],
    ]

    /// Background, surface, text, muted, accent, letters on the accent, tint.
    private static func palette(_ text: String) -> SiteDesign.Palette {
        let colours = text.split(separator: " ").map { DesignColour(String($0)) ?? .black }
        return SiteDesign.Palette(
            background: colours[0], surface: colours[1], text: colours[2], muted: colours[3], accent: colours[4],
            onAccent: colours[5], tint: colours[6])
    }

    static let palettes: [NamedPalette] = [
        NamedPalette(
            name: "hearth", words: ["warm", "cosy", "cozy", "gemütlich", "rustic", "rustikal", "orange"],
            light: palette("#fbf6ee #f4eadb #2b2018 #695848 #a8401f #ffffff #efc9a2"),
            dark: palette("#1b1410 #271d17 #f4e9dc #c3b09e #f0a26a #241308 #5b3a24")),
        NamedPalette(
            name: "harbour", words: ["fresh", "maritime", "frisch", "blue", "blau", "trust", "serious", "seriös"],
            light: palette("#f5f8fa #e7eff4 #14232e #4b5f6d #0f5f87 #ffffff #a9cfe2"),
            dark: palette("#0e171d #16232b #e6eff4 #a4b8c4 #74bde3 #06202e #1f4a61")),
        NamedPalette(
            name: "meadow", words: ["natural", "green", "grün", "natürlich", "organic", "eco", "nachhaltig"],
            light: palette("#f6f8f1 #e9efdf #1d2818 #515f48 #3a6828 #ffffff #bcd4a1"),
            dark: palette("#12170f #1b2318 #e9f0e2 #aebba3 #9cc97f #14220c #35502a")),
        NamedPalette(
            name: "ink", words: ["minimal", "black", "schwarz", "schlicht", "reduced", "editorial", "monochrome"],
            light: palette("#fafaf8 #efefeb #131312 #595955 #b9301b #ffffff #d9d6cd"),
            dark: palette("#111110 #1c1c1a #f2f1ed #aaa9a3 #ff8a70 #2a0c05 #3a3935")),
        NamedPalette(
            name: "plum", words: ["creative", "purple", "lila", "violet", "kreativ", "dreamy"],
            light: palette("#faf6fa #f0e6f1 #261a2a #635367 #7b2d7f #ffffff #d9b8dd"),
            dark: palette("#17111a #221926 #f1e7f3 #b9a7be #d795dd #270c2a #4b2b50")),
        NamedPalette(
            name: "clay", words: ["earthy", "brown", "handmade", "braun", "erdig", "vintage"],
            light: palette("#f8f5f1 #ece5dc #26211c #60554a #84460f #ffffff #dcb98f"),
            dark: palette("#181512 #242019 #efe8df #b8aa99 #e2a05a #261403 #54391d")),
        NamedPalette(
            name: "lagoon", words: ["calm", "clean", "ruhig", "klar", "clear", "turquoise", "teal", "quiet"],
            light: palette("#f4f9f8 #e2f0ee #12282a #455e5e #0b6661 #ffffff #a5d5cd"),
            dark: palette("#0d1818 #152525 #e2f1ef #a1bab7 #67c7bd #04211e #1d4d4a")),
        NamedPalette(
            name: "sunday",
            words: ["playful", "bold", "fun", "verspielt", "loud", "kräftig", "yellow", "colourful", "bunt"],
            light: palette("#fffaf0 #fbeecf #1a1c3a #545672 #3a34b0 #ffffff #f6c445"),
            dark: palette("#12132a #1c1e3d #f3f0ff #b4b3d1 #f6c445 #251a00 #3b3f8a")),
        NamedPalette(
            name: "rosewood", words: ["elegant", "romantic", "red", "rot", "romantisch", "edel", "pink"],
            light: palette("#fdf6f4 #f8e7e3 #301a1c #6d4f4d #a02343 #ffffff #f0b9b4"),
            dark: palette("#1b1113 #281a1c #f8e9e8 #c6a9a8 #f58da0 #300a14 #5c2b33")),
        NamedPalette(
            name: "slate",
            words: ["modern", "technical", "corporate", "sachlich", "professional", "professionell", "grey"],
            light: palette("#f6f7f9 #e8ebf1 #1b2330 #525d6e #2b4ba6 #ffffff #b9c6e4"),
            dark: palette("#10141c #191f2b #e8ecf4 #a8b2c4 #8fb0ff #081433 #2b3a63")),
    ]
}
