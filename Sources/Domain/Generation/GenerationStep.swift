/// One step of a generation that was done: what went in, what came out, and what it cost.
package struct GenerationStep: Sendable, Equatable {
    package enum Name: String, Sendable, Hashable, CaseIterable, Codable {
        case plan, copy, design, build, checks, repair
    }

    /// What tells the steps of one generation apart; a step that is done again replaces the older result.
    package struct Key: Sendable, Hashable {
        package let name: Name
        package let page: String
        package let round: Int
    }

    /// The longest input or output that is stored, in bytes.
    package static let textLimit = 256 << 10
    /// How many steps a generation can have.
    package static let countLimit = 128

    package let name: Name
    /// The page that the copy is for, such as `menu` or `de/menu`; otherwise empty.
    package let page: String
    /// Of checks and repairs: 0 before the first repair.
    package let round: Int
    /// JSON.
    package let input: String
    /// JSON.
    package let output: String
    package let usage: TokenUsage
    package let milliseconds: Int

    package init(
        name: Name, page: String = "", round: Int = 0, input: String, output: String, usage: TokenUsage = .zero,
        milliseconds: Int = 0
    ) {
        self.name = name
        self.page = page
        self.round = round
        self.input = input
        self.output = output
        self.usage = usage
        self.milliseconds = milliseconds
    }

    package var key: Key { Key(name: name, page: page, round: round) }
}
