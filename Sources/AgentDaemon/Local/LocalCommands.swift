import AgentCore
import ArgumentParser
import Domain
import FoundationEssentials
import Glibc

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

struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-cert", abstract: "Get a new certificate now, with a new key.",
        discussion: """
            The coordinator has to be there. The old one stays good until the new one was used.

            Example: pagewright-agent rotate-cert
            """)

    @OptionGroup var options: StateOption

    func run() async throws { try await options.perform(LocalRequest(.rotate)) }
}

struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Take no new jobs on this host; sites are served as before.",
        discussion: """
            Works while the coordinator is away, and outlives a restart. What runs goes on to its end; see it with
            pagewright-agent jobs.

            Example: pagewright-agent drain
            """)

    @OptionGroup var options: StateOption

    func run() async throws { try await options.perform(LocalRequest(.drain)) }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Take jobs again after a drain.",
        discussion: "Example: pagewright-agent resume")

    @OptionGroup var options: StateOption

    func run() async throws { try await options.perform(LocalRequest(.resume)) }
}

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Show visitors of this host the release before, without the coordinator.",
        discussion: """
            For when the coordinator is away: it goes to a version that is on this host. The coordinator is told with the
            next session, and undoes it or lets it be until the next release, as it is set (rollback.local). While it is
            there use pagewright rollback, which is for all hosts.

            Example: pagewright-agent rollback www.example.org
            """)

    @OptionGroup var options: StateOption
    @Argument(help: "The site's id or one of its names.") var site: String
    @Option(help: "The version to show; default: the one before.") var to: Int?
    @Flag(help: "Show again what the coordinator asked for.") var undo = false

    func validate() throws {
        guard to == nil || !undo else { throw ValidationError("--to and --undo exclude each other") }
    }

    func run() async throws {
        try await options.perform(LocalRequest(.rollback, site: site, version: to, isUndo: undo))
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read what is served again, every byte, and compare it with its version.",
        discussion: """
            Changes nothing; the agent mends by itself, one site every five minutes. Exits with 1 when something is damaged.

            Example: pagewright-agent verify www.example.org
            """)

    @OptionGroup var options: StateOption
    @Argument(help: "The site's id or one of its names; default: all.") var site: String?

    func run() async throws {
        let found = try await StatusClient(path: options.state.socket).ask(
            LocalRequest(.verify, site: site), as: LocalVerification.self)
        if options.json {
            Output.print(String(decoding: try AgentStatus.encoder.encode(found), as: UTF8.self))
        } else {
            for site in found.sites {
                Output.print(site.damage.isEmpty ? "ok       \(site.site)" : "damaged  \(site.site)")
                for line in site.damage { Output.print("         \(line)") }
            }
            if found.sites.isEmpty { Output.print("No site is placed on this host.") }
        }
        if found.sites.contains(where: { !$0.damage.isEmpty }) { throw ExitCode(1) }
    }
}

struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Say what the next clean-up would take away.",
        discussion: """
            The agent cleans up by itself, after a while in which nothing was used; this shows what it will take.

            Example: pagewright-agent gc --plan
            """)

    @OptionGroup var options: StateOption
    @Flag(help: "Only say it; there is nothing else to ask for.") var plan = false

    func validate() throws {
        guard plan else { throw ValidationError("say --plan; the agent itself cleans up, when it is time") }
    }

    func run() async throws {
        let found = try await StatusClient(path: options.state.socket).ask(
            LocalRequest(.collectionPlan), as: LocalCollectionPlan.self)
        guard !options.json else {
            return Output.print(String(decoding: try AgentStatus.encoder.encode(found), as: UTF8.self))
        }
        if let obstacle = found.obstacle { Output.print("note: \(obstacle)") }
        Output.print("generations  \(found.generations.count)")
        Output.print("trees        \(found.trees.count)")
        Output.print("blobs        \(found.blobs), \(StatusText.size(found.blobBytes))")
        for path in found.generations + found.trees { Output.print("  \(path)") }
    }
}

extension StateOption {
    /// Asks the agent to do something and says what it said.
    fileprivate func perform(_ request: LocalRequest) async throws {
        let word = try await StatusClient(path: state.socket).ask(request, as: LocalWord.self)
        Output.print(json ? String(decoding: try AgentStatus.encoder.encode(word), as: UTF8.self) : word.text)
    }
}
