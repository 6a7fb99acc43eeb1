package import Domain
import SwiftProtobuf

extension GenerationStep {
    package init(wire: Pagewright_Agent_V1_GenerationStep) throws(ServiceError) {
        self.init(
            name: try Field.choice(wire.name, "step.name"),
            page: try Field.text(wire.page, "step.page", atMost: TextLimit.name),
            round: try Field.integer(wire.round, "step.round", in: 0...Int64(GenerationPipeline.maximumRepairs)),
            input: try Field.text(wire.input, "step.input", atMost: Self.textLimit),
            output: try Field.text(wire.output, "step.output", atMost: Self.textLimit),
            usage: try TokenUsage(wire: wire.usage),
            milliseconds: try Field.integer(wire.durationMs, "step.duration_ms"))
    }

    static func list(wire: [Pagewright_Agent_V1_GenerationStep]) throws(ServiceError) -> [GenerationStep] {
        try Field.count(wire, "steps", atMost: countLimit)
        var steps: [GenerationStep] = []
        for step in wire { steps.append(try GenerationStep(wire: step)) }
        return steps
    }

    package var wire: Pagewright_Agent_V1_GenerationStep {
        .with {
            $0.name = name.rawValue
            $0.page = page
            $0.round = Int64(round)
            $0.input = input
            $0.output = output
            $0.usage = usage.wire
            $0.durationMs = Int64(milliseconds)
        }
    }
}
