import ArgumentParser

/// The command of users and operators. Everything it knows comes from the REST API.
struct Pagewright: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pagewright",
        abstract: "Change your website by talking to it.",
        discussion: """
            Start everything on this machine with `pagewright up`, then in another terminal:

              pagewright login --register
              pagewright sites create bakery --template bakery
              pagewright edit bakery "Change the headline to Fresh bread every morning"
              pagewright promote bakery

            Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not logged in, 4 nobody answers, 5 timed out, 130 interrupted.
            """,
        version: ClientVersion.text,
        groupedSubcommands: [
            CommandGroup(name: "Here", subcommands: [UpCommand.self, VersionCommand.self]),
            CommandGroup(
                name: "You",
                subcommands: [LoginCommand.self, LogoutCommand.self, WhoamiCommand.self, TokensCommand.self]),
            CommandGroup(
                name: "Sites",
                subcommands: [
                    SitesCommand.self, GenerateCommand.self, EditCommand.self, EditsCommand.self, PickCommand.self,
                    UndoCommand.self, ConversationsCommand.self, LocksCommand.self, DeployCommand.self,
                    VersionsCommand.self,
                    DiffCommand.self, ChecksCommand.self, ExportCommand.self, LabelCommand.self, PreviewCommand.self,
                    PromoteCommand.self,
                    RollbackCommand.self, ReleasesCommand.self, DomainsCommand.self, MaintenanceCommand.self,
                ]),
            CommandGroup(
                name: "Jobs",
                subcommands: [
                    JobsCommand.self, JobCommand.self, UnlockCommand.self, WhyCommand.self, CancelCommand.self,
                    RetryCommand.self, AcceptCommand.self, ReplayCommand.self, LogsCommand.self, UsageCommand.self,
                ]),
            CommandGroup(
                name: "Fleet",
                subcommands: [
                    HostsCommand.self, HostCommand.self, UsersCommand.self, EnginesCommand.self, BudgetsCommand.self,
                    AuditCommand.self, RecoveryCommand.self, BrakesCommand.self, PlacementCommand.self,
                    BackupsCommand.self,
                ]),
            CommandGroup(name: "Raw", subcommands: [EventsCommand.self, APICommand.self]),
        ])
}

/// The version of this program; the coordinator says its own.
enum ClientVersion {
    static let text = "0.1.0"
}
