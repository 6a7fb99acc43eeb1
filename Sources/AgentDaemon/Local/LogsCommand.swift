import AgentCore
import ArgumentParser
import Domain
import FoundationEssentials

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show the last lines of this agent's log.",
        discussion: "Example: pagewright-agent logs --follow --job job_01jx…")

    @OptionGroup var options: StateOption
    @Flag(name: [.short, .long], help: "Go on as more is said, until Ctrl-C.") var follow = false
    @Option(help: "Only lines about this job.") var job: String?
    @Option(name: [.customShort("n"), .long], help: "How many lines to begin with.") var lines = 100

    func validate() throws {
        guard (0...500).contains(lines) else { throw ValidationError("--lines is 0 to 500") }
    }

    func run() async throws {
        let client = StatusClient(path: options.state.socket)
        var after: UInt64 = 0
        var isFirst = true
        repeat {
            let log: LocalLog
            do {
                log = try await client.ask(LocalRequest(.logs, after: after), as: LocalLog.self)
            } catch let error as ServiceError where !isFirst && error.code == .unavailable {
                // It is being started again.
                try await Task.sleep(for: .seconds(1))
                continue
            }
            if log.isGapped, !options.json { Output.print("… lines that were not read in time are gone …") }
            let wanted = log.lines.filter { line in job.map { line.contains($0) } ?? true }
            for line in isFirst ? wanted.suffix(lines) : wanted[...] { say(line) }
            after = log.last
            isFirst = false
            if follow, log.lines.isEmpty { try await Task.sleep(for: .milliseconds(500)) }
        } while follow
    }

    private func say(_ line: String) {
        guard options.json else { return Output.print(line) }
        struct Line: Encodable { let line: String }
        let data = (try? AgentStatus.encoder.encode(Line(line: line))) ?? Data()
        Output.print(String(decoding: data, as: UTF8.self))
    }
}
