import ArgumentParser
import Coordinator
import Database
import Domain
import Logging

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Verifies the audit log in the database itself.",
        subcommands: [AuditVerifyCommand.self])
}

struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Computes the chain of all rows again, and names the first that is not right.",
        discussion: """
            Prints the end of the chain. Keep it somewhere else and give it next time: then rows that were cut off at \
            the end are missed too.

            Example: pagewright-coordinator audit verify --state /var/lib/pagewright --expect-head 17:4be1…
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: ArgumentHelp("A head that was printed before.", valueName: "number:hash"))
    var expectHead: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let number: Int64
        let hash: String
    }

    func run() async throws {
        try await reporting {
            let expected = try expectHead.map { text in
                guard let head = AuditHead(text) else {
                    throw ServiceError(
                        .invalidArgument, "\"\(text)\" is not a head of the audit log",
                        nextStep: "Give what this command printed before: a number, a colon and 64 digits.")
                }
                return head
            }
            let folder = try options.source().stateFolder()
            try folder.requireExisting()
            let core = try await CoordinatorCore.open(
                folder, settings: CoordinatorSettings(),
                logger: Logger(label: "audit") { _ in SwiftLogNoOpLogHandler() })
            let head: AuditHead
            do {
                head = try await core.services.audit.verify(expecting: expected).head
            } catch let error as AuditChain.Break {
                throw ServiceError(
                    .failedPrecondition, "\(error)", nextStep: "Compare with a backup of the database.")
            }
            if json {
                try printJSON(Output(number: head.number, hash: head.hash.text))
            } else {
                print("The audit log is whole: \(head.number) rows. Its head is\n\(head)")
            }
        }
    }
}
