import Coordinator

/// What a job waits for, since when, and what helps, for people who know no hosts and no leases.
enum WaitSentence {
    static func values(_ wait: JobWait) -> [String: Any] {
        var values: [String: Any] = ["text": text(wait)]
        if let job = wait.heldBy { values["heldBy"] = "/jobs/\(job)" }
        if let since = wait.since { values["since"] = Wording.time(since) }
        if wait.reason == .siteBusy || wait.reason == .workersBusy { values["place"] = place(wait.position) }
        return values
    }

    private static func text(_ wait: JobWait) -> String {
        switch wait.reason {
        case .siteBusy: "Waits for its turn: another change of this site comes first"
        case .next: "About to begin."
        case .noWorker: "Waits for a machine that works on changes: none is connected. It begins by itself once one is."
        case .noCapableWorker:
            "Waits for a machine that runs what you chose: none of those connected does. It begins by itself once one is."
        case .draining:
            "Waits for a machine: all of them finish what they have and take nothing new. It begins by itself afterwards."
        case .workersBusy: "Waits for a machine: all of them are busy."
        case .recovery: "Waits until an admin has looked at the database. Visitors are not affected."
        }
    }

    private static func place(_ position: Int) -> String {
        position <= 1 ? "This is next." : "This is number \(position) in the line."
    }
}
