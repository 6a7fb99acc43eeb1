import Domain
import SwiftProtobuf

extension HostCondition {
    init(wire: Pagewright_Agent_V1_Condition) throws(ServiceError) {
        guard let level = Level(rawValue: Int(wire.level)) else {
            throw Field.refuse("level", "has an unknown value", rule: "field-known")
        }
        self.init(
            level: level, problem: try Field.text(wire.problem, "problem", atMost: TextLimit.reason),
            isDrained: wire.drained)
    }

    var wire: Pagewright_Agent_V1_Condition {
        .with {
            $0.level = Int32(level.rawValue)
            $0.problem = problem.clipped(to: TextLimit.reason)
            $0.drained = isDrained
        }
    }
}

extension UpgradeOrder {
    init(wire: Pagewright_Agent_V1_UpgradeOrder) throws(ServiceError) {
        self.init(
            id: try Field.text(wire.id, "id", atMost: TextLimit.version),
            version: try ProgramVersionText(wire.version))
    }

    var wire: Pagewright_Agent_V1_UpgradeOrder {
        .with {
            $0.id = id
            $0.version = version.text
        }
    }
}

extension UpgradeReport {
    init(wire: Pagewright_Agent_V1_UpgradeReport) throws(ServiceError) {
        self.init(
            order: try Field.text(wire.order, "order", atMost: TextLimit.version),
            outcome: try Field.choice(wire.outcome, "outcome"),
            detail: try Field.text(wire.detail, "detail", atMost: TextLimit.reason))
    }

    var wire: Pagewright_Agent_V1_UpgradeReport {
        .with {
            $0.order = order.clipped(to: TextLimit.version)
            $0.outcome = outcome.rawValue
            $0.detail = detail.clipped(to: TextLimit.reason)
        }
    }
}
