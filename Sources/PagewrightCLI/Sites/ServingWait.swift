import ArgumentParser
import Foundation

/// Waiting for hosts to confirm. Nothing is called live before they did.
struct ServingWait: ParsableArguments {
    @Flag(help: "Do not wait until the hosts confirm.") var noWait = false
    @Option(help: ArgumentHelp("How many seconds to wait for the hosts.", valueName: "seconds")) var timeout = 60

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout is 1 to 86400 seconds") }
    }

    /// Waits until every host of the site confirmed its present state; with `changedAt`, a confirmation that is older
    /// does not count.
    func untilServed(
        _ slug: String, by client: APIClient, changedAt: String? = nil, progress: inout ProgressReporter
    ) async throws -> SiteBody {
        defer { progress.end() }
        let oldest = changedAt.flatMap(Wording.date)
        let started = ContinuousClock.now
        let deadline = started + .seconds(timeout)
        var pause = Duration.milliseconds(25)
        while true {
            let site: SiteBody = try await client.send(.get, "/sites/\(slug)").decode()
            if let refusal = site.serving.first(where: { $0.state == "refused" }) {
                throw CLIError(
                    .failed,
                    "\(refusal.hostName) could not serve it: \(refusal.error ?? "no reason given"); "
                        + "it still serves what it served before",
                    nextStep: "Look at the host: pagewright hosts, and there: pagewright-agent status.")
            }
            let isServed = site.serving.allSatisfy { line in
                guard line.state == "applied" else { return false }
                guard let oldest, let updated = Wording.date(line.updatedAt) else { return true }
                return updated >= oldest
            }
            if isServed, !site.serving.isEmpty { return site }
            guard ContinuousClock.now < deadline else {
                throw CLIError(
                    .timedOut,
                    site.serving.isEmpty
                        ? "no serving host has the site" : "after \(timeout) s it is live on \(site.confirmations)",
                    nextStep: site.serving.isEmpty
                        ? "Add one with: pagewright host invite --role serving."
                        : "The change is saved and hosts catch up by themselves; look with: pagewright sites info \(slug)."
                )
            }
            // Most hosts answer at once; only a wait that a person notices is worth a line.
            if ContinuousClock.now - started > .seconds(1) {
                progress.show(
                    site.serving.isEmpty ? "waiting for a serving host" : "confirmed by \(site.confirmations)")
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(1))
        }
    }
}
