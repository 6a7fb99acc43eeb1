/// What an engine is told: the request, and what was said before it, within bounds.
package struct EditInstruction: Sendable, Equatable {
    /// How many earlier turns are told at most, and how many characters of each request and answer.
    package static let turnLimit = 8
    package static let pieceLimit = 700
    /// Of all earlier turns together, in characters.
    package static let memoryLimit = 6000

    package let prompt: Prompt
    package let mode: EditMode
    /// The oldest first.
    package let turns: [ConversationTurn]
    /// What the plan says that is to be carried out.
    package let plan: String?
    package let variant: EditVariant?

    package init(
        prompt: Prompt, mode: EditMode = .change, turns: [ConversationTurn] = [], plan: String? = nil,
        variant: EditVariant? = nil
    ) {
        self.prompt = prompt
        self.mode = mode
        self.turns = turns
        self.plan = plan
        self.variant = variant
    }

    /// The text for an engine. The built-in one understands its fixed requests and nothing around them.
    package func text(for engine: EngineName) -> String {
        if case .builtin = engine { return prompt.text }
        var parts: [String] = []
        let memory = self.memory
        if !memory.isEmpty {
            parts.append(
                """
                Earlier in this conversation, the oldest first (for reference; these requests are done, do not do them again):
                \(memory)
                """)
        }
        if let plan, !plan.isEmpty {
            parts.append(
                """
                This plan was agreed on. Carry it out, and nothing beyond it:
                \(plan.abridged(to: 8000))
                """)
        }
        if mode == .plan {
            parts.append(
                """
                Answer only; do not change, create or delete any file. Say in a few sentences what you would do, then list \
                the paths of the files that you would touch, one on each line with a dash in front.
                """)
        }
        if let variant, variant.count > 1 {
            parts.append(
                """
                This is try \(variant.number) of \(variant.count) at the same request; somebody picks one of them. \
                \(Self.character(of: variant.number))
                """)
        }
        guard !parts.isEmpty else { return prompt.text }
        parts.append("The request:\n\(prompt.text)")
        return parts.joined(separator: "\n\n")
    }

    private static func character(of number: Int) -> String {
        switch number {
        case 1: "Do what was asked in the plainest way."
        case 2: "Do what was asked, more boldly than usual."
        default: "Do what was asked in an unusual way that still fits the site."
        }
    }

    /// The newest turns that fit, each on lines of its own.
    private var memory: String {
        var lines: [String] = []
        var length = 0
        for turn in turns.suffix(Self.turnLimit).reversed() {
            let said = turn.answer.trimmed.abridged(to: Self.pieceLimit)
            let outcome =
                switch turn.outcome {
                case .version(let number): "became version \(number)"
                case .plan: "was answered with a plan"
                case .failed(let reason): "was not done: \(reason.abridged(to: 200))"
                case .cancelled: "was stopped"
                case .open: "is under way"
                }
            var line = "- Asked: \(turn.prompt.trimmed.abridged(to: Self.pieceLimit))\n  It \(outcome)."
            if !said.isEmpty { line += "\n  Answer: \(said)" }
            guard length + line.count <= Self.memoryLimit else { break }
            length += line.count
            lines.append(line)
        }
        return lines.reversed().joined(separator: "\n")
    }
}
