import AgentCore
import ArgumentParser
import Domain
import FoundationEssentials
import Glibc

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how this host is.",
        discussion: "Exits with 0 when all is well, 1 when something is degraded, 2 when something is bad.\n\n"
            + "Example: pagewright-agent status --json")

    @OptionGroup var options: StateOption
    @OptionGroup var watch: WatchOption

    func run() async throws { try await watch.run(asJSON: options.json) { try await say() } }

    private func say() async throws {
        let status = try await StatusClient(path: options.state.socket).status()
        if options.json {
            Output.print(String(decoding: try AgentStatus.encoder.encode(status), as: UTF8.self))
        } else {
            for line in StatusText(now: HostClock().now()).lines(status) { Output.print(line) }
        }
        throw ExitCode(Int32(status.level.rawValue))
    }
}

struct SitesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sites", abstract: "List the sites that this host serves.",
        discussion: "Example: pagewright-agent sites")

    @OptionGroup var options: StateOption
    @OptionGroup var watch: WatchOption

    func run() async throws { try await watch.run(asJSON: options.json) { try await say() } }

    private func say() async throws {
        let sites = try await StatusClient(path: options.state.socket).status().sites
        if options.json {
            Output.print(String(decoding: try AgentStatus.encoder.encode(sites), as: UTF8.self))
        } else if sites.isEmpty {
            Output.print("No site is placed on this host.")
        } else {
            for site in sites { Output.print(StatusText.line(site)) }
        }
        if sites.contains(where: { $0.state == "refused" }) { throw ExitCode(1) }
    }
}

struct SiteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "site", abstract: "Show one site that this host serves.",
        discussion: "Example: pagewright-agent site www.example.org")

    @OptionGroup var options: StateOption
    @Argument(help: "The site's id or one of its names.") var site: String

    func run() async throws {
        let sites = try await StatusClient(path: options.state.socket).status().sites
        guard let found = sites.first(where: { $0.site == site || $0.names.contains(site) }) else {
            throw ServiceError(
                .notFound, "this host serves no site \(site)", nextStep: "List them: pagewright-agent sites.")
        }
        if options.json {
            Output.print(String(decoding: try AgentStatus.encoder.encode(found), as: UTF8.self))
        } else {
            for line in StatusText.lines(found) { Output.print(line) }
        }
        if found.state == "refused" { throw ExitCode(1) }
    }
}

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List the jobs that run here.", discussion: "Example: pagewright-agent jobs")

    @OptionGroup var options: StateOption
    @OptionGroup var watch: WatchOption

    func run() async throws { try await watch.run(asJSON: options.json) { try await say() } }

    private func say() async throws {
        let jobs = try await StatusClient(path: options.state.socket).status().jobs
        if options.json {
            Output.print(String(decoding: try AgentStatus.encoder.encode(jobs), as: UTF8.self))
        } else if jobs.isEmpty {
            Output.print("No job runs here.")
        } else {
            for job in jobs { Output.print(StatusText.line(job)) }
        }
    }
}
