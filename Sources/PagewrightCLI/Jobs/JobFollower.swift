import Foundation

/// Waits for a job to be over and shows how far it is.
///
/// Events say that something changed, and the job itself is then read: an event that is lost costs two seconds.
struct JobFollower {
    let client: APIClient

    struct JobEvent: Decodable {
        let jobId: String
    }

    /// Returns the job in its last state.
    func follow(_ id: String, timeout: Duration, asJSON: Bool) async throws -> JobBody {
        let interrupt = InterruptSignal()
        defer { interrupt.stop() }
        var progress = ProgressReporter(asJSON: asJSON)
        defer { progress.end() }
        let (wakeUps, wake) = AsyncStream.makeStream(of: Reason.self, bufferingPolicy: .bufferingNewest(4))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { await watchEvents(of: id) { wake.yield(.changed) } }
            group.addTask {
                while !Task.isCancelled {
                    wake.yield(.changed)
                    try await Task.sleep(for: .seconds(2))
                }
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                wake.yield(.timedOut)
            }
            group.addTask {
                await interrupt.wait()
                wake.yield(.interrupted)
            }
            for await reason in wakeUps {
                switch reason {
                case .changed:
                    let job: JobBody = try await client.send(.get, "/jobs/\(id)").decode()
                    if job.isOver { return job }
                    progress.show(job.progressLine)
                case .timedOut:
                    throw CLIError(
                        .timedOut, "the job \(id) is not over yet; it goes on",
                        nextStep: "Follow it with: pagewright job \(id) --follow.")
                case .interrupted:
                    progress.end()
                    throw CLIError(
                        .interrupted, "stopped watching; the job \(id) goes on",
                        nextStep:
                            "Follow it with: pagewright job \(id) --follow; stop it with: pagewright cancel \(id).")
                }
            }
            throw CancellationError()
        }
    }

    private enum Reason { case changed, timedOut, interrupted }

    private func watchEvents(of id: String, changed: @Sendable () -> Void) async {
        var last: String?
        while !Task.isCancelled {
            do {
                try await EventFeed(client: client).forEach(after: last, opened: changed) { event in
                    last = event.id ?? last
                    let data = try? APIResponse.decoder().decode(JobEvent.self, from: Data(event.data.utf8))
                    if event.kind.hasPrefix("job."), data?.jobId == id { changed() }
                    return true
                }
            } catch {
                // The job is read every two seconds anyway, and that read reports what is wrong.
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
