import ArgumentParser
import Foundation

struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Lists every setting, as a configuration file to begin with.",
        discussion: """
            The command line wins over the environment, which wins over the file. Secrets are never given on the \
            command line; each can also be the content of a file.

            With --check a file is examined instead, with the secrets that it names; it ends with 78 when `serve` would \
            refuse it. Nothing is started and nothing is asked for.

            Example: pagewright-coordinator settings > coordinator.yaml
            """)

    @Option(help: ArgumentHelp("Examine this configuration instead, and say what is wrong with it.", valueName: "file"))
    var check: String?

    @Flag(help: "Print JSON.")
    var json = false

    private struct Output: Encodable {
        let name: String
        let help: String
        let standard: String?
        let flag: String?
        let variable: String
        let fileSetting: String?
    }

    func run() async throws {
        if let check {
            try await reporting(as: .configuration) {
                let source = SettingSource(
                    environment: ProcessInfo.processInfo.environment, file: try ConfigurationFile.read(check))
                try ServeSettings(source).blobs.examine()
            }
            if json { try printJSON(["is_good": true]) }
        } else if json {
            try printJSON(
                Setting.all.map {
                    Output(
                        name: $0.name, help: $0.help, standard: $0.standard, flag: $0.isSecret ? nil : $0.flag,
                        variable: $0.variable, fileSetting: $0.isSecret ? $0.fileSetting : nil)
                })
        } else {
            print(Self.example)
        }
    }

    /// A YAML file in which every setting stands, commented out.
    static var example: String {
        Setting.all.map { setting in
            let lines = [
                "# \(setting.help)",
                setting.isSecret
                    ? "# In the environment: \(setting.variable), or in a file that this names:"
                    : "# On the command line: \(setting.flag); in the environment: \(setting.variable)",
                "#\(setting.isSecret ? setting.fileSetting : setting.name): \(setting.standard ?? "")",
            ]
            return lines.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }
}
