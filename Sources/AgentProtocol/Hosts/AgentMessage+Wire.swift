package import Domain
import SwiftProtobuf

extension AgentMessage {
    package init(wire: Pagewright_Agent_V1_AgentFrame) throws(ServiceError) {
        switch wire.frame {
        case .hello(let hello): self = .hello(try Hello(wire: hello))
        case .heartbeat(let heartbeat):
            self = .heartbeat(
                leases: try JobLease.list(wire: heartbeat.leases, field: "leases"),
                diskFreeBytes: Int64(try Field.integer(heartbeat.diskFreeBytes, "disk_free_bytes")),
                diskTotalBytes: Int64(try Field.integer(heartbeat.diskTotalBytes, "disk_total_bytes")))
        case .credit(let credit):
            self = .credit(slots: try Field.integer(Int64(credit.slots), "slots", in: 0...10_000))
        case .accept(let lease): self = .accept(try JobLease(wire: lease))
        case .reject(let reject):
            self = .reject(
                try JobLease(wire: try Field.present(reject.hasLease, reject.lease, "lease")),
                reason: try Field.text(reject.reason, "reason", atMost: TextLimit.reason))
        case .progress(let progress):
            self = .progress(
                try JobLease(wire: try Field.present(progress.hasLease, progress.lease, "lease")),
                step: try Field.text(progress.step, "step", atMost: TextLimit.step),
                percent: try Field.integer(Int64(progress.percent), "percent", in: 0...100))
        case .step(let step):
            self = .step(
                try JobLease(wire: try Field.present(step.hasLease, step.lease, "lease")),
                try GenerationStep(wire: try Field.present(step.hasStep, step.step, "step")))
        case .log(let log):
            self = .log(
                try JobLease(wire: try Field.present(log.hasLease, log.lease, "lease")),
                text: try Field.text(log.text, "text", atMost: TextLimit.log),
                droppedBytes: Int64(try Field.integer(log.droppedBytes, "dropped_bytes")))
        case .complete(let completion): self = .complete(try JobCompletion(wire: completion))
        case .siteStatus(let status): self = .siteStatus(try SiteStatus(wire: status))
        case .condition(let condition): self = .condition(try HostCondition(wire: condition))
        case .upgradeReport(let report): self = .upgradeReport(try UpgradeReport(wire: report))
        case nil: throw Field.refuse("frame", "is missing or of a kind that is not known here", rule: "field-known")
        }
    }

    package var wire: Pagewright_Agent_V1_AgentFrame {
        .with {
            switch self {
            case .hello(let hello): $0.hello = hello.wire
            case .heartbeat(let leases, let free, let total):
                $0.heartbeat = .with {
                    $0.leases = leases.map(\.wire)
                    $0.diskFreeBytes = free
                    $0.diskTotalBytes = total
                }
            case .credit(let slots): $0.credit = .with { $0.slots = Int32(clamping: slots) }
            case .accept(let lease): $0.accept = lease.wire
            case .reject(let lease, let reason):
                $0.reject = .with {
                    $0.lease = lease.wire
                    $0.reason = reason.clipped(to: TextLimit.reason)
                }
            case .progress(let lease, let step, let percent):
                $0.progress = .with {
                    $0.lease = lease.wire
                    $0.step = step.clipped(to: TextLimit.step)
                    $0.percent = Int32(min(100, max(0, percent)))
                }
            case .step(let lease, let step):
                $0.step = .with {
                    $0.lease = lease.wire
                    $0.step = step.wire
                }
            case .log(let lease, let text, let dropped):
                $0.log = .with {
                    $0.lease = lease.wire
                    $0.text = text.clipped(to: TextLimit.log)
                    $0.droppedBytes = dropped
                }
            case .complete(let completion): $0.complete = completion.wire
            case .siteStatus(let status): $0.siteStatus = status.wire
            case .condition(let condition): $0.condition = condition.wire
            case .upgradeReport(let report): $0.upgradeReport = report.wire
            }
        }
    }
}

extension AgentMessage.Hello {
    init(wire: Pagewright_Agent_V1_Hello) throws(ServiceError) {
        try Field.count(wire.roles, "roles", atMost: 16)
        var roles: Set<HostRole> = []
        for role in wire.roles { roles.insert(try Field.choice(role, "roles")) }
        try Field.count(wire.engines, "engines", atMost: 64)
        var engines: Set<EngineName> = []
        for engine in wire.engines { engines.insert(try Field.choice(engine, "engines")) }
        if wire.seesPages { engines.insert(.browser) }
        try Field.count(wire.inventory, "inventory", atMost: 200_000)
        var inventory: [SiteStatus] = []
        for status in wire.inventory { inventory.append(try SiteStatus(wire: status)) }
        self.init(
            agentVersion: try Field.text(wire.agentVersion, "agent_version", atMost: TextLimit.version), roles: roles,
            bootID: try Field.text(wire.bootID, "boot_id", atMost: TextLimit.version),
            leases: try JobLease.list(wire: wire.leases, field: "leases"), inventory: inventory, engines: engines)
        instance = try Field.text(wire.instance, "instance", atMost: TextLimit.version)
    }

    var wire: Pagewright_Agent_V1_Hello {
        .with {
            $0.agentVersion = agentVersion.clipped(to: TextLimit.version)
            $0.roles = roles.map(\.rawValue).sorted()
            $0.bootID = bootID.clipped(to: TextLimit.version)
            $0.leases = leases.map(\.wire)
            $0.inventory = inventory.map(\.wire)
            // By a field of its own: a coordinator from before refuses engines that it does not know.
            $0.engines = engines.subtracting([.browser]).map(\.rawValue).sorted()
            $0.seesPages = engines.contains(.browser)
            $0.instance = instance.clipped(to: TextLimit.version)
        }
    }
}
