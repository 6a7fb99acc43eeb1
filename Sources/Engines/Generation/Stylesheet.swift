import Domain

/// The one stylesheet of a generated site: the design's colours, type and layout on top, then our own components.
struct Stylesheet {
    private let design: SiteDesign

    init(_ design: SiteDesign) { self.design = design }

    var text: String { tokens + Self.base + layout }

    /// The names of the colours are those that the built-in editor knows.
    private var tokens: String {
        """
        /* Change the look here: every colour on the site comes from these lines. */
        :root {
          color-scheme: light dark;
        \(colours(design.light, indent: "  "))

          --font-body: \(bodyFont);
          --font-display: \(displayFont);
          --display-weight: \(displayWeight);
          --display-tracking: \(displayTracking);
          --step-1: \(size(1))rem;
          --step-2: clamp(\(size(1.6))rem, \(fluid(1.6, 2.6)), \(size(2.6))rem);
          --step-3: clamp(\(size(2.6))rem, \(fluid(2.6, 5)), \(size(5))rem);
          --radius: \(design.radius)px;
          --measure: 38rem;
          --gutter: clamp(1.25rem, 5vw, 3rem);
          --space: clamp(3.25rem, 8vw, 6.5rem);
          --line: color-mix(in oklab, var(--text) 18%, var(--background));
        }

        @media (prefers-color-scheme: dark) {
          :root {
        \(colours(design.dark, indent: "    "))
          }
        }

        /* Lettering on the accent follows the accent, so that any colour stays readable. */
        @supports (color: oklch(from red l c h)) {
          :root { --on-accent: oklch(from var(--accent) clamp(0.14, (0.65 - l) * 1000, 1) 0 0); }
        }


        """
    }

    private func colours(_ palette: SiteDesign.Palette, indent: String) -> String {
        [
            ("background", palette.background), ("surface", palette.surface), ("text", palette.text),
            ("muted", palette.muted), ("accent", palette.accent), ("link", palette.accent),
            ("on-accent", palette.onAccent), ("tint", palette.tint),
        ].map { "\(indent)--\($0.0): \($0.1);" }.joined(separator: "\n")
    }

    // MARK: Type

    /// The size of a step of the scale in rem, with three digits.
    private func size(_ step: Double) -> String {
        var factor = 1.0
        var left = step
        let ratio = Double(design.scaleInHundredths) / 100
        while left >= 1 {
            factor *= ratio
            left -= 1
        }
        // Between two steps, straight.
        factor *= 1 + (ratio - 1) * left
        return Self.decimal(factor)
    }

    /// From the smaller step at 375 px to the larger one at 1280 px.
    private func fluid(_ small: Double, _ large: Double) -> String {
        let (from, to) = (Double(size(small)) ?? 1, Double(size(large)) ?? 1)
        let slope = (to - from) / (80 - 23.4375)
        return "\(Self.decimal(from - slope * 23.4375))rem + \(Self.decimal(slope * 100))vw"
    }

    private static func decimal(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded())
        let fraction = String(abs(thousandths) % 1000)
        let digits = String(repeating: "0", count: 3 - fraction.count) + fraction
        return (thousandths < 0 ? "-" : "") + "\(abs(thousandths) / 1000).\(digits)"
    }

    private static let plain = "system-ui, -apple-system, \"Segoe UI\", \"Noto Sans\", \"DejaVu Sans\", sans-serif"
    private static let oldStyle =
        "\"Iowan Old Style\", P052, \"Palatino Linotype\", Palatino, \"URW Palladio L\", \"Book Antiqua\", Georgia, serif"
    private static let humanist =
        "Seravek, \"Gill Sans Nova\", Ubuntu, Calibri, \"Noto Sans\", \"DejaVu Sans\", source-sans-pro, sans-serif"

    private var bodyFont: String {
        switch design.typeface {
        case .serif: Self.oldStyle
        case .humanist: Self.humanist
        case .grotesque, .slab, .rounded: Self.plain
        }
    }

    private var displayFont: String {
        switch design.typeface {
        case .serif, .humanist: Self.oldStyle
        case .grotesque: "Inter, Roboto, \"Helvetica Neue\", \"Arial Nova\", \"Nimbus Sans\", Arial, sans-serif"
        case .slab: "Rockwell, \"Rockwell Nova\", \"Roboto Slab\", \"DejaVu Serif\", \"Sitka Small\", serif"
        case .rounded:
            "ui-rounded, \"Hiragino Maru Gothic ProN\", Quicksand, Comfortaa, Manjari, \"Arial Rounded MT Bold\", Calibri, system-ui, sans-serif"
        }
    }

    private var displayWeight: Int {
        switch design.typeface {
        case .serif, .humanist: 500
        case .grotesque, .rounded: 700
        case .slab: 600
        }
    }

    private var displayTracking: String {
        switch design.typeface {
        case .grotesque: "-0.03em"
        case .serif, .humanist: "-0.015em"
        case .slab, .rounded: "-0.01em"
        }
    }

    // MARK: Components

    private static let base = """
        *, *::before, *::after { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1.5rem; }

        body {
          display: flex; flex-direction: column; min-height: 100vh; margin: 0;
          background: var(--background); color: var(--text);
          font: 400 1.125rem/1.65 var(--font-body); overflow-wrap: break-word;
        }

        h1, h2, h3 { margin: 0; font-family: var(--font-display); font-weight: var(--display-weight); line-height: 1.1; letter-spacing: var(--display-tracking); text-wrap: balance; hyphens: auto; overflow-wrap: anywhere; }
        h1 { font-size: var(--step-3); hyphenate-limit-chars: 12 5 5; }
        h2 { font-size: var(--step-2); }
        h3 { font-size: var(--step-1); line-height: 1.25; }
        p { margin: 0; max-width: var(--measure); text-wrap: pretty; }
        p + p { margin-top: 1em; }
        a { color: var(--link); text-decoration-thickness: 0.06em; text-underline-offset: 0.2em; }
        a:hover { text-decoration-thickness: 0.14em; }
        img { display: block; max-width: 100%; height: auto; }
        ul, ol, dl, dd, figure { margin: 0; padding: 0; }
        main :is(ul, ol):not([class]) { padding-left: 1.4rem; max-width: var(--measure); margin-top: 1.25rem; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
        main:focus { outline: 0; }

        .skip {
          position: absolute; z-index: 2; left: var(--gutter); top: -6rem;
          padding: 0.6rem 1rem; background: var(--surface); color: var(--link); border-radius: 0 0 0.5rem 0.5rem;
        }
        .skip:focus { top: 0; }

        .bar {
          display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.25rem 2rem;
          max-width: calc(72rem + 2 * var(--gutter)); margin: 0 auto; padding: 0.9rem var(--gutter);
        }
        .brand { font: var(--display-weight) var(--step-1)/1.2 var(--font-display); letter-spacing: var(--display-tracking); color: var(--text); text-decoration: none; padding: 0.35rem 0; }
        .brand:hover { color: var(--link); }
        nav ul { display: flex; flex-wrap: wrap; gap: 0 1.5rem; list-style: none; }
        nav a { display: block; padding: 0.5rem 0; color: var(--text); text-decoration: none; border-bottom: 2px solid transparent; }
        nav a:hover { border-color: var(--line); }
        nav a[aria-current] { border-color: var(--accent); }

        /* Everything in main sits on one column; .wide bands reach the edges. */
        main {
          flex: 1; display: grid; align-content: start;
          grid-template-columns:
            [wide-start] minmax(var(--gutter), 1fr)
            [column-start] minmax(0, 72rem) [column-end]
            minmax(var(--gutter), 1fr) [wide-end];
          padding-block: clamp(1.5rem, 4vw, 3.5rem) var(--space);
        }
        main > * { grid-column: column; }
        main > section { padding-top: var(--space); }
        main > section > h2 { margin-bottom: 1.75rem; }
        main > .wide { grid-column: wide; padding: var(--space) max(var(--gutter), (100% - 72rem) / 2); margin-top: var(--space); }
        main > .wide:last-child { margin-bottom: calc(-1 * var(--space)); }

        .eyebrow { color: var(--link); font-size: 1.05rem; margin-bottom: 0.9rem; }
        .lead { margin-top: 1.3rem; font-size: clamp(1.15rem, 1.05rem + 0.5vw, 1.35rem); line-height: 1.5; color: var(--muted); }
        .buttons { display: flex; flex-wrap: wrap; gap: 0.9rem; margin-top: 2rem; }
        .button {
          display: inline-block; max-width: 100%; padding: 0.75rem 1.5rem; border: 2px solid var(--accent); border-radius: min(var(--radius), 999px);
          background: var(--accent); color: var(--on-accent); text-decoration: none; line-height: 1.3;
        }
        .button:hover { box-shadow: 0 0 0 3px color-mix(in oklab, var(--accent) 35%, transparent); }
        .button.quiet { background: transparent; color: var(--link); }

        .hero { display: grid; gap: clamp(2rem, 5vw, 4.5rem); align-items: center; }
        .art img { width: 100%; object-fit: cover; border-radius: var(--radius); }
        .ribbon { margin-top: clamp(2rem, 5vw, 3.5rem); }
        .ribbon img { width: 100%; height: clamp(4rem, 11vw, 9rem); object-fit: cover; border-radius: var(--radius); }

        .columns { display: grid; gap: 1.25rem clamp(2rem, 6vw, 5rem); }
        .columns p { font-size: 1.2rem; }

        .cards { list-style: none; display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15.5rem), 1fr)); }
        .cards li { position: relative; padding: 1.6rem 1.5rem; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); }
        .cards p { margin-top: 0.5rem; color: var(--muted); font-size: 1.05rem; line-height: 1.5; }
        .cards h3 a { color: inherit; text-decoration: none; }
        .cards h3 a::after { content: ""; position: absolute; inset: 0; border-radius: inherit; }
        .cards li:has(a):hover { border-color: var(--accent); }
        .cards h3 a:hover { text-decoration: underline; text-decoration-thickness: 0.08em; }

        .big-list { list-style: none; counter-reset: item; border-top: 1px solid var(--line); }
        .big-list li { counter-increment: item; display: flex; gap: 0 1.5rem; align-items: baseline; padding: 1rem 0; border-bottom: 1px solid var(--line); font: var(--display-weight) var(--step-2)/1.2 var(--font-display); letter-spacing: var(--display-tracking); overflow-wrap: anywhere; }
        .big-list li::before { content: counter(item, decimal-leading-zero); min-width: 2.2rem; color: var(--link); font: 400 1rem/1 var(--font-body); letter-spacing: 0; font-variant-numeric: tabular-nums; }
        .big-list + .buttons { margin-top: 1.75rem; }

        .steps { list-style: none; counter-reset: step; display: grid; gap: 2rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
        .steps li { counter-increment: step; border-top: 2px solid var(--accent); padding-top: 1.1rem; }
        .steps li::before { content: counter(step); display: block; margin-bottom: 0.4rem; color: var(--link); font: var(--display-weight) var(--step-2)/1 var(--font-display); }
        .steps p { margin-top: 0.4rem; color: var(--muted); font-size: 1.05rem; line-height: 1.5; }

        .facts { display: grid; gap: 1.75rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
        .facts dt { color: var(--muted); font-size: 1rem; }
        .facts dd { margin-top: 0.2rem; font-size: 1.25rem; line-height: 1.4; overflow-wrap: anywhere; }

        main > .band { background: var(--accent); color: var(--on-accent); }
        .band p { margin-top: 0.9rem; font-size: 1.2rem; }
        .band .buttons { margin-top: 1.75rem; }
        .band .button { background: var(--on-accent); border-color: var(--on-accent); color: var(--accent); }
        .band :focus-visible { outline-color: var(--on-accent); }

        .site-footer { border-top: 1px solid var(--line); }
        .site-footer .bar { gap: 1rem 2.5rem; align-items: flex-start; padding-block: 2.25rem; font-size: 1rem; color: var(--muted); }
        .site-footer p { margin: 0; }
        .site-footer a { color: var(--text); }

        @media (min-width: 54rem) {
          .columns { grid-template-columns: minmax(0, 0.8fr) minmax(0, 1.2fr); }
        }

        @media (prefers-reduced-motion: no-preference) {
          html { scroll-behavior: smooth; }
          .button, nav a, .cards li { transition: box-shadow 0.15s, border-color 0.15s; }
        }

        @media print {
          .skip, nav, .buttons, .ribbon { display: none; }
        }


        """

    private var layout: String {
        switch design.layout {
        case .split:
            """
            /* Words beside a picture. */
            .hero .art img { aspect-ratio: 5 / 4; }
            @media (min-width: 54rem) {
              .hero { grid-template-columns: minmax(0, 1.1fr) minmax(0, 0.9fr); }
              .hero .art img { aspect-ratio: 4 / 5; max-height: 38rem; }
            }

            """
        case .poster:
            """
            /* Large words above a wide picture. */
            .site-header { border-bottom: 1px solid var(--line); }
            .hero h1 { max-width: 18ch; }
            .hero .art img { aspect-ratio: 16 / 10; }
            @media (min-width: 54rem) {
              .hero .art img { aspect-ratio: 21 / 8; }
              .hero .words { display: grid; grid-template-columns: minmax(0, 1.3fr) minmax(0, 0.7fr); gap: 0 clamp(2rem, 6vw, 5rem); align-items: end; }
              .hero .words > .aside { padding-bottom: 0.5rem; }
            }

            """
        case .centred:
            """
            /* Everything in the middle, quiet. */
            .site-header .bar { justify-content: center; flex-direction: column; }
            .site-header nav ul { justify-content: center; }
            .hero, .page-head { text-align: center; justify-items: center; }
            .hero p, .page-head p { margin-inline: auto; }
            .hero h1, .page-head h1 { max-width: 22ch; margin-inline: auto; }
            .hero .buttons, .page-head .buttons { justify-content: center; }
            .hero .art { width: 100%; }
            .hero .art img { aspect-ratio: 16 / 9; }
            @media (min-width: 54rem) { .hero .art img { aspect-ratio: 3 / 1; } }
            main > section > h2 { text-align: center; }
            .columns { grid-template-columns: minmax(0, 1fr) !important; max-width: 44rem; margin-inline: auto; text-align: center; }
            .columns p { max-width: none; }
            main section .buttons { justify-content: center; max-width: none; }
            .band { text-align: center; }
            .band p { margin-inline: auto; }

            """
        }
    }
}
