import Domain
import Glibc

/// Drawings made of simple shapes in the colours of a design. The same seed always gives the same drawing.
struct Artwork {
    private let design: SiteDesign
    private let seed: UInt64

    init(design: SiteDesign, seed: UInt64) {
        self.design = design
        self.seed = seed
    }

    /// For the top of the home page.
    var hero: String { drawing(width: 960, height: 720, cell: 120) }

    /// A strip for the top of other pages.
    var band: String { drawing(width: 1440, height: 160, cell: 80) }

    /// The first letter of a name on the accent.
    func icon(letter name: String) -> String {
        let letter = name.first { $0.isLetter || $0.isNumber }.map { String($0).uppercased() } ?? "•"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
              <style>.g { fill: \(design.light.accent); } .l { fill: \(design.light.onAccent); font: 600 38px Georgia, serif; } @media (prefers-color-scheme: dark) { .g { fill: \(design.dark.accent); } .l { fill: \(design.dark.onAccent); } }</style>
              <rect class="g" width="64" height="64" rx="\(min(32, design.radius + 4))"/>
              <text class="l" x="32" y="45" text-anchor="middle">\(HTML.escaped(letter))</text>
            </svg>

            """
    }

    // MARK: The sheet

    private func drawing(width: Int, height: Int, cell: Int) -> String {
        var dice = Dice(state: seed &+ UInt64(height))
        let shapes: [String] =
            switch design.motif {
            case .tiles: tiles(width, height, cell, &dice)
            case .arches: arches(width, height, cell, &dice)
            case .hills: hills(width, height, &dice)
            case .rings: rings(width, height, cell, &dice)
            case .rays: rays(width, height, &dice)
            case .stems: stems(width, height, &dice)
            }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" preserveAspectRatio="xMidYMid slice">
              <style>\(classes(design.light)) @media (prefers-color-scheme: dark) { \(classes(design.dark)) }</style>
              <rect class="t" width="\(width)" height="\(height)"/>
              \(shapes.joined(separator: "\n  "))
            </svg>

            """
    }

    /// t: the ground; a: the accent; m: between the two; p: the paper of the page; d: dark.
    private func classes(_ palette: SiteDesign.Palette) -> String {
        let middle = palette.accent.mixed(with: palette.background, inHundredths: 48)
        let deep = palette.accent.mixed(with: palette.text, inHundredths: 55)
        return
            ".t { fill: \(palette.tint); } .a { fill: \(palette.accent); } .m { fill: \(middle); } .p { fill: \(palette.background); } .d { fill: \(deep); } .s { fill: none; stroke: \(palette.background); stroke-width: 10; }"
    }

    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(sides))
        }

        mutating func pick(_ choices: [String]) -> String { choices[roll(choices.count)] }
    }

    // MARK: Motifs

    private func tiles(_ width: Int, _ height: Int, _ cell: Int, _ dice: inout Dice) -> [String] {
        var shapes: [String] = []
        for y in stride(from: 0, to: height, by: cell) {
            for x in stride(from: 0, to: width, by: cell) {
                let ground = dice.pick(["t", "t", "m", "p", "a"])
                let figure = dice.pick(["a", "m", "p", "d", "t"].filter { $0 != ground })
                shapes.append("<rect class=\"\(ground)\" x=\"\(x)\" y=\"\(y)\" width=\"\(cell)\" height=\"\(cell)\"/>")
                let turn = "transform=\"translate(\(x + cell / 2) \(y + cell / 2)) rotate(\(dice.roll(4) * 90))\""
                let half = cell / 2
                switch dice.roll(5) {
                case 0:
                    shapes.append(
                        "<path class=\"\(figure)\" \(turn) d=\"M\(-half) \(-half)A\(cell) \(cell) 0 0 1 \(half) \(half)L\(-half) \(half)Z\"/>"
                    )
                case 1:
                    shapes.append(
                        "<path class=\"\(figure)\" \(turn) d=\"M\(-half) 0A\(half) \(half) 0 0 1 \(half) 0Z\"/>")
                case 2:
                    shapes.append(
                        "<circle class=\"\(figure)\" cx=\"\(x + half)\" cy=\"\(y + half)\" r=\"\(cell * 3 / 10)\"/>")
                case 3:
                    shapes.append(
                        "<path class=\"\(figure)\" \(turn) d=\"M\(-half) \(-half)L\(half) \(-half)L\(-half) \(half)Z\"/>"
                    )
                default: break
                }
            }
        }
        return shapes
    }

    private func arches(_ width: Int, _ height: Int, _ cell: Int, _ dice: inout Dice) -> [String] {
        var shapes: [String] = []
        let span = height > 300 ? cell * 2 : cell
        var row = 0
        for y in stride(from: 0, to: height + span, by: span) {
            let shift = row.isMultiple(of: 2) ? 0 : -span / 2
            for x in stride(from: shift, to: width, by: span) {
                var order = ["a", "m", "p", "d"]
                if dice.roll(3) > 0 { order.swapAt(0, 1) }
                if dice.roll(4) == 0 { order.swapAt(0, 3) }
                for (index, name) in order.prefix(3).enumerated() {
                    let radius = span / 2 - index * span / 7
                    let centre = x + span / 2
                    shapes.append(
                        "<path class=\"\(name)\" d=\"M\(centre - radius) \(y + span)V\(y + span / 2)A\(radius) \(radius) 0 0 1 \(centre + radius) \(y + span / 2)V\(y + span)Z\"/>"
                    )
                }
            }
            row += 1
        }
        return shapes
    }

    private func hills(_ width: Int, _ height: Int, _ dice: inout Dice) -> [String] {
        let sun = height * 2 / 9
        var shapes = [
            "<circle class=\"p\" cx=\"\(width * (3 + dice.roll(4)) / 9)\" cy=\"\(height / 3)\" r=\"\(sun)\"/>"
        ]
        for (index, name) in ["m", "a", "d"].enumerated() {
            let base = height * (55 + index * 15) / 100
            let swing = height * (12 - index * 2) / 100
            let first = base - swing + dice.roll(max(1, swing))
            let second = base + dice.roll(max(1, swing))
            shapes.append(
                "<path class=\"\(name)\" d=\"M0 \(base)C\(width / 5) \(first - swing) \(width * 2 / 5) \(second + swing) \(width * 3 / 5) \(base - swing / 2)S\(width * 9 / 10) \(first) \(width) \(second)V\(height)H0Z\"/>"
            )
        }
        return shapes
    }

    private func rings(_ width: Int, _ height: Int, _ cell: Int, _ dice: inout Dice) -> [String] {
        var shapes: [String] = []
        let count = height > 300 ? 5 : 9
        for index in 0..<count {
            let x = width * (2 * index + 1) / (2 * count) + dice.roll(cell) - cell / 2
            let y = height * (1 + dice.roll(4)) / 5
            let size = (height > 300 ? height / 3 : height * 2 / 3) - dice.roll(cell)
            let order = dice.roll(2) == 0 ? ["a", "p", "m", "t"] : ["m", "t", "a", "p"]
            for (step, name) in order.enumerated() {
                shapes.append(
                    "<circle class=\"\(name)\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(max(4, size * (4 - step) / 4))\"/>")
            }
        }
        return shapes
    }

    private func rays(_ width: Int, _ height: Int, _ dice: inout Dice) -> [String] {
        var shapes: [String] = []
        let centre = Double(width) * (0.35 + Double(dice.roll(30)) / 100)
        let ground = Double(height) * 0.98
        let reach = Double(width + height)
        let count = 18
        for index in stride(from: 0, to: count, by: 2) {
            let from = Double.pi * (1 + Double(index) / Double(count))
            let to = Double.pi * (1 + Double(index + 1) / Double(count))
            func point(_ angle: Double) -> String {
                "\(Int(centre + cos(angle) * reach)) \(Int(ground + sin(angle) * reach))"
            }
            shapes.append(
                "<path class=\"\(index % 4 == 0 ? "m" : "p")\" d=\"M\(Int(centre)) \(Int(ground))L\(point(from))L\(point(to))Z\"/>"
            )
        }
        let radius = height * 2 / 5
        shapes.append("<circle class=\"a\" cx=\"\(Int(centre))\" cy=\"\(Int(ground))\" r=\"\(radius)\"/>")
        shapes.append("<circle class=\"d\" cx=\"\(Int(centre))\" cy=\"\(Int(ground))\" r=\"\(radius * 6 / 10)\"/>")
        return shapes
    }

    private func stems(_ width: Int, _ height: Int, _ dice: inout Dice) -> [String] {
        var shapes: [String] = []
        let count = height > 300 ? 6 : 16
        let ground = height + 10
        for index in 0..<count {
            let x = width * (2 * index + 1) / (2 * count)
            let tall = height * (55 + dice.roll(35)) / 100
            let lean = dice.roll(width / 12) - width / 24
            let name = dice.pick(["a", "d", "m", "a"])
            let thick = max(5, height / 90)
            shapes.append(
                "<path class=\"\(name)\" d=\"M\(x - thick) \(ground)Q\(x - thick / 2) \(ground - tall / 2) \(x + lean) \(ground - tall)Q\(x + thick / 2) \(ground - tall / 2) \(x + thick) \(ground)Z\"/>"
            )
            let leaves = height > 300 ? 5 : 3
            for leaf in 1...leaves {
                let share = Double(leaf) / Double(leaves + 1) + 0.12
                let leafX = x + Int(Double(lean) * share * share)
                let leafY = ground - Int(Double(tall) * share)
                let long = tall / (leaves + 2)
                for side in [-1, 1] {
                    shapes.append(
                        "<ellipse class=\"\(name)\" transform=\"translate(\(leafX) \(leafY)) rotate(\(side * (38 + dice.roll(16))))\" cx=\"\(side * long * 6 / 10)\" rx=\"\(long * 6 / 10)\" ry=\"\(max(4, long / 4))\"/>"
                    )
                }
            }
            shapes.append(
                "<circle class=\"\(dice.pick(["p", "a", "m"]))\" cx=\"\(x + lean)\" cy=\"\(ground - tall)\" r=\"\(max(8, height / 28))\"/>"
            )
        }
        return shapes
    }
}
