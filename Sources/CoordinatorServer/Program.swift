import ArgumentParser

/// The program that decides: users, sites, jobs and hosts, over REST for people and gRPC for agents.
@main
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pagewright-coordinator", abstract: "Serves the REST API and the agents of a Pagewright fleet.",
        discussion: """
            Everything that it keeps is in the folder given with --state: the database, the content of all versions, \
            and the fleet's keys. Back that folder up. Every option can also stand in a configuration file or in the \
            environment; `settings` lists them.

            Example: pagewright-coordinator serve --state /var/lib/pagewright --sites-domain sites.example.org
            """,
        version: ProgramVersion.text,
        subcommands: [
            ServeCommand.self, InviteCommand.self, MigrateCommand.self, CopyCommand.self, CheckCommand.self,
            BlobsCommand.self, AuthorityCommand.self, SettingsCommand.self, AuditCommand.self, RecoveryCommand.self,
            BackupCommand.self, RestoreCommand.self,
        ])
}
