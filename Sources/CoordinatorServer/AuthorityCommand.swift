import ArgumentParser
import BlockingIO
import Coordinator
import Database
import Domain
import FleetIdentity
import Foundation
import Logging
import Persistence

struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Shows, rotates, and backs up the fleet's certificate authority.",
        discussion: "Example: pagewright-coordinator ca --state /var/lib/pagewright --json",
        subcommands: [
            AuthorityShowCommand.self, AuthorityRotateCommand.self, AuthorityExportCommand.self,
            AuthorityImportCommand.self,
        ], defaultSubcommand: AuthorityShowCommand.self)
}

struct AuthorityShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the fleet's certificate authority, or makes it when there is none.",
        discussion: "Example: pagewright-coordinator ca show --state /var/lib/pagewright --json")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let trustDomain: String
        let pin: String
        let directory: String
    }

    func run() async throws {
        try await reporting {
            let folder = try options.source().stateFolder()
            try folder.create()
            let authority = try CertificateAuthority.loadOrCreate(
                inDirectory: folder.authority, at: SystemClock().now())
            if json {
                try printJSON(
                    Output(
                        trustDomain: authority.trustDomain.text, pin: authority.pin.text,
                        directory: folder.authority))
            } else {
                print("trust domain  \(authority.trustDomain.text)\nkey pin       \(authority.pin.text)")
                print("directory     \(folder.authority)")
            }
        }
    }
}

struct AuthorityRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replaces the authority's key while everything goes on.",
        discussion: """
            prepare makes the next key; switch lets it sign agents' certificates, and agents renew within seconds; \
            retire forgets the old one, when every host has a certificate of the new one. Between the steps there may be \
            any time. Running coordinators notice by themselves. Copy the folder of the keys to other coordinators \
            before each next step.

            Example: pagewright-coordinator ca rotate status --state /var/lib/pagewright
            """,
        subcommands: [Prepare.self, Switch.self, Retire.self, Status.self])

    struct Prepare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prepare", abstract: "Makes the next key; agents learn to trust both.",
            discussion: "Example: pagewright-coordinator ca rotate prepare --state /var/lib/pagewright")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await AuthorityRoom.change(options, json: json) { room in
                try room.authority.prepareRotation(at: SystemClock().now())
            }
        }
    }

    struct Switch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "switch", abstract: "Signs agents' certificates with the next key; they renew at once.",
            discussion: "Example: pagewright-coordinator ca rotate switch --state /var/lib/pagewright")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await AuthorityRoom.change(options, json: json) { room in try room.authority.switchRotation() }
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retire", abstract: "Forgets the old key, when every host has a certificate of the new one.",
            discussion: """
                Hosts that were away since the switch are named; they would have to be invited again. --force goes on \
                without them.

                Example: pagewright-coordinator ca rotate retire --state /var/lib/pagewright
                """)
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Leave hosts behind that have no certificate of the new key.") var force = false
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let force = force
            try await AuthorityRoom.change(options, json: json) { room in
                let late = room.late
                guard late.isEmpty || force else {
                    throw ServiceError(
                        .failedPrecondition,
                        "these hosts have no certificate of the new key yet: \(late.joined(separator: ", "))",
                        rule: "rotation-hosts",
                        nextStep: "Wait until they were connected, revoke those that are gone, or give --force.")
                }
                try room.authority.retireRotation()
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Says how far a rotation is, and which hosts are not that far.",
            discussion: "Example: pagewright-coordinator ca rotate status --state /var/lib/pagewright --json")
        @OptionGroup var options: ConfigurationOptions
        @Flag(help: "Print JSON.") var json = false

        func run() async throws { try await AuthorityRoom.change(options, json: json) { _ in } }
    }
}

/// The authority and the hosts that it is for.
struct AuthorityRoom {
    let authority: CertificateAuthority
    let hosts: [Domain.Host]

    private struct Output: Encodable {
        let step: String
        let pin: String
        let nextPin: String?
        let lateHosts: [String]
    }

    /// Hosts without a certificate of the newest key, by name.
    var late: [String] {
        let rotation = authority.rotation
        guard let next = rotation.next else { return [] }
        return hosts.filter { !$0.state.isShutOut && ($0.certificateIssuer != next.text || $0.pendingSerial != nil) }
            .map { "\($0.name) (\($0.id))" }
    }

    static func change(
        _ options: ConfigurationOptions, json: Bool, _ body: @Sendable (AuthorityRoom) throws -> Void
    ) async throws {
        try await reporting {
            let source = try options.source()
            let folder = try source.stateFolder()
            try folder.requireExisting()
            let core = try await CoordinatorCore.open(
                folder, database: source.database(), settings: CoordinatorSettings(),
                logger: Logger(label: "ca") { _ in SwiftLogNoOpLogHandler() })
            let hosts = try await core.database.read { try await Stores().hosts.list(in: $0) }
            let room = AuthorityRoom(authority: core.authority, hosts: hosts)
            try body(room)
            let rotation = room.authority.rotation
            let late = rotation.step == .switched ? room.late : []
            if json {
                return try printJSON(
                    Output(
                        step: rotation.step.rawValue, pin: rotation.current.text, nextPin: rotation.next?.text,
                        lateHosts: late))
            }
            print("rotation  \(rotation.step.rawValue)\nkey pin   \(rotation.current.text)")
            if let next = rotation.next { print("next pin  \(next.text)") }
            for host in late { print("waits for \(host)") }
            switch rotation.step {
            case .none: break
            case .prepared:
                print("Next: pagewright-coordinator ca rotate switch, when other coordinators have the files.")
            case .switched:
                print(late.isEmpty ? "Next: pagewright-coordinator ca rotate retire." : "Wait for these hosts.")
            }
        }
    }
}

struct AuthorityExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Puts the fleet's keys into one file, sealed with a passphrase.",
        discussion: """
            Example: pagewright-coordinator ca export --to /mnt/safe/fleet-keys.pws \
            --passphrase-file /etc/pagewright/backup.passphrase
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "The file to make.") var to: String
    @Option(help: "A file with the passphrase.") var passphraseFile: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reporting {
            let folder = try options.source().stateFolder()
            try folder.requireExisting()
            let passphrase = try Passphrase(try BackupSettings.text(passphraseFile) ?? "")
            let names = try AuthorityArchive.seal(
                try BackupFiles(folder: folder).read(configuration: nil), to: to, passphrase)
            if json { return try printJSON(["to": to]) }
            print("Sealed \(names) keys and certificates in \(to).")
        }
    }
}

struct AuthorityImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Brings the fleet's keys back from a sealed file.",
        discussion: """
            Example: pagewright-coordinator ca import --from /mnt/safe/fleet-keys.pws --state /var/lib/pagewright \
            --passphrase-file /etc/pagewright/backup.passphrase
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "The sealed file.") var from: String
    @Option(help: "A file with the passphrase.") var passphraseFile: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reporting {
            let folder = try options.source().stateFolder()
            let passphrase = try Passphrase(try BackupSettings.text(passphraseFile) ?? "")
            let kept = try AuthorityArchive.open(from, passphrase)
            let files = BackupFiles(folder: folder)
            try files.requireRoom(for: kept)
            try files.write(kept)
            let pin = try CertificateAuthority.loadOrCreate(inDirectory: folder.authority, at: SystemClock().now()).pin
            if json { return try printJSON(["pin": pin.text]) }
            print("Brought back the authority with the pin \(pin).")
        }
    }
}
