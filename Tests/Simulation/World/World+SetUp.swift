import Domain

extension World {
    /// The installation at the start of a run, and everything that is planned for it.
    func setUp() {
        for number in 0..<scenario.workers + scenario.servers {
            let isWorker = number < scenario.workers
            hosts.append(SimulatedHost(isWorker: isWorker, drift: scenario.drifts[number]))
            tables.hosts.append(
                Host(
                    id: Number.host(number), name: "", roles: [isWorker ? .worker : .serving], certificateSerial: "",
                    certificateExpiresAt: Timestamp(millisecondsSinceEpoch: 0),
                    createdAt: Timestamp(millisecondsSinceEpoch: 0)))
            tables.placements.append([])
            ledger.addHost()
        }
        let sessions = [Int?](repeating: nil, count: hosts.count)
        for _ in 0..<scenario.coordinators { coordinators.append(SimulatedCoordinator(sessions: sessions)) }
        blockedToAgent = Array(repeating: Array(repeating: 0, count: scenario.coordinators), count: hosts.count)
        blockedToCoordinator = blockedToAgent
        for _ in 0..<scenario.sites { create(on: nil) }
        backup = (tables, ledger.timeline)

        for coordinator in coordinators.indices { after(soon(0...500), .start(coordinator: coordinator)) }
        for host in hosts.indices { after(soon(100...3000), .bootAgent(host: host)) }
        let phase = Int(scenario.faultPhase)
        for _ in 0..<scenario.edits {
            after(soon(2000...phase * 7 / 10), .submit(key: newKey(), site: random.below(scenario.sites)))
        }
        for action in scenario.actions {
            for _ in 0..<random.among(1...4) { after(soon(5000...phase), .user(action)) }
        }
        for _ in 0..<scenario.faultCount {
            if let fault = random.pick(scenario.faults) { after(soon(3000...phase - 1), .fault(fault)) }
        }
        if scenario.faults.contains(.restore) {
            for _ in 0..<2 { after(soon(3000...phase), .backUp) }
            after(soon(10_000...phase), .fault(.restore))
        }
        after(scenario.faultPhase, .calm)
    }
}
