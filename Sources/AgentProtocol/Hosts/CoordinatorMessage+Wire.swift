package import Domain
import FoundationEssentials
import SwiftProtobuf

extension CoordinatorMessage {
    package init(wire: Pagewright_Agent_V1_CoordinatorFrame) throws(ServiceError) {
        switch wire.frame {
        case .welcome(let welcome): self = .welcome(try Welcome(wire: welcome))
        case .offer(let offer): self = .offer(try JobOffer(wire: offer))
        case .cancel(let lease): self = .cancel(try JobLease(wire: lease))
        case .leaseLost(let lease): self = .leaseLost(try JobLease(wire: lease))
        case .renewed(let renewed): self = .renewed(try JobLease.list(wire: renewed.leases, field: "leases"))
        case .verdict(let verdict):
            self = .verdict(
                try JobLease(wire: try Field.present(verdict.hasLease, verdict.lease, "lease")),
                try Field.choice(verdict.verdict, "verdict"))
        case .desired(let desired):
            try Field.count(desired.sites, "sites", atMost: 200_000)
            var sites: [DesiredSite] = []
            for site in desired.sites { sites.append(try DesiredSite(wire: site)) }
            self = .desired(sites, try DesiredPart(wire: desired))
        case .goAway(let goAway):
            self = .goAway(
                reason: try Field.text(goAway.reason, "reason", atMost: TextLimit.reason),
                delay: try Field.duration(goAway.delayMs, "delay_ms", atLeast: 0))
        case .upgrade(let order): self = .upgrade(try UpgradeOrder(wire: order))
        case .renewCertificate: self = .renewCertificate
        case nil: throw Field.refuse("frame", "is missing or of a kind that is not known here", rule: "field-known")
        }
    }

    package var wire: Pagewright_Agent_V1_CoordinatorFrame {
        .with {
            switch self {
            case .welcome(let welcome): $0.welcome = welcome.wire
            case .offer(let offer): $0.offer = offer.wire
            case .cancel(let lease): $0.cancel = lease.wire
            case .leaseLost(let lease): $0.leaseLost = lease.wire
            case .renewed(let leases): $0.renewed = .with { $0.leases = leases.map(\.wire) }
            case .verdict(let lease, let verdict):
                $0.verdict = .with {
                    $0.lease = lease.wire
                    $0.verdict = verdict.rawValue
                }
            case .desired(let sites, let part):
                $0.desired = .with {
                    $0.sites = sites.map(\.wire)
                    if case .snapshot(let index, let isLast) = part {
                        $0.complete = isLast
                        $0.part = Int64(index) + 1
                    }
                }
            case .goAway(let reason, let delay):
                $0.goAway = .with {
                    $0.reason = reason.clipped(to: TextLimit.reason)
                    $0.delayMs = delay.wholeMilliseconds
                }
            case .upgrade(let order): $0.upgrade = order.wire
            case .renewCertificate: $0.renewCertificate = .init()
            }
        }
    }
}

extension DesiredPart {
    fileprivate init(wire: Pagewright_Agent_V1_Desired) throws(ServiceError) {
        let part = try Field.integer(wire.part, "part")
        switch (part, wire.complete) {
        case (0, false): self = .change
        case (0, true): throw Field.refuse("part", "is missing from the end of a snapshot", rule: "field-present")
        case (_, let isLast): self = .snapshot(index: part - 1, isLast: isLast)
        }
    }
}

extension CoordinatorMessage.Welcome {
    init(wire: Pagewright_Agent_V1_Welcome) throws(ServiceError) {
        _ = try Field.integer(wire.sessionEpoch, "session_epoch")
        try Field.count(wire.versionKeys, "version_keys", atMost: 64)
        var keys: [[UInt8]] = []
        for key in wire.versionKeys { keys.append(try Field.bytes(key, "version_keys", count: 32)) }
        self.init(
            sessionEpoch: wire.sessionEpoch,
            heartbeatInterval: try Field.duration(wire.heartbeatIntervalMs, "heartbeat_interval_ms"),
            leaseDuration: try Field.duration(wire.leaseDurationMs, "lease_duration_ms"),
            coordinatorVersion: try Field.text(
                wire.coordinatorVersion, "coordinator_version", atMost: TextLimit.version), versionKeys: keys)
        try Field.count(wire.features, "features", atMost: 256)
        for feature in wire.features {
            features.insert(try Field.text(feature, "features", atMost: TextLimit.version))
        }
    }

    var wire: Pagewright_Agent_V1_Welcome {
        .with {
            $0.sessionEpoch = sessionEpoch
            $0.heartbeatIntervalMs = heartbeatInterval.wholeMilliseconds
            $0.leaseDurationMs = leaseDuration.wholeMilliseconds
            $0.coordinatorVersion = coordinatorVersion.clipped(to: TextLimit.version)
            $0.versionKeys = versionKeys.map { Data($0) }
            $0.features = features.sorted()
        }
    }
}
