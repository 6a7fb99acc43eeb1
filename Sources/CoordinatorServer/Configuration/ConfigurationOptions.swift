import ArgumentParser
import Domain
import Foundation

/// What every command takes: where the configuration is.
struct ConfigurationOptions: ParsableArguments {
    static let usualFile = "/etc/pagewright/coordinator.yaml"

    @Option(
        help: ArgumentHelp(
            "A configuration file; \(ConfigurationOptions.usualFile) is read when it is there.",
            discussion:
                "`pagewright-coordinator settings` prints one with every setting. PAGEWRIGHT_COORDINATOR_CONFIG names it too.",
            valueName: "file"))
    var config: String?
    @Option(help: "The folder that holds everything the coordinator keeps by itself.")
    var state: String?
    @Option(help: "The folder with the keys that several coordinators share; without it they are in the state folder.")
    var secrets: String?

    @Option(help: "postgres://USER@HOST/NAME or sqlite:PATH. (default: SQLite in the state folder)")
    var database: String?

    /// The settings in force, `flags` being what this command was given.
    func source(
        _ flags: [Setting: String?] = [:], environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ServiceError) -> SettingSource {
        var given = flags.compactMapValues { $0 }
        if let state { given[.state] = state }
        if let database { given[.database] = database }
        if let secrets { given[.secrets] = secrets }
        return SettingSource(flags: given, environment: environment, file: try file(environment))
    }

    /// The configuration file in force, if there is one.
    var configurationPath: String? {
        if let path = config ?? ProcessInfo.processInfo.environment["PAGEWRIGHT_COORDINATOR_CONFIG"], !path.isEmpty {
            return path
        }
        return FileManager.default.fileExists(atPath: Self.usualFile) ? Self.usualFile : nil
    }

    private func file(_ environment: [String: String]) throws(ServiceError) -> ConfigurationFile? {
        if let config = config ?? environment["PAGEWRIGHT_COORDINATOR_CONFIG"], !config.isEmpty {
            return try ConfigurationFile.read(config)
        }
        guard FileManager.default.fileExists(atPath: Self.usualFile) else { return nil }
        return try ConfigurationFile.read(Self.usualFile)
    }
}

extension SettingSource {
    /// The folder of the setting `state`.
    func stateFolder() throws(ServiceError) -> StateFolder {
        StateFolder(
            path: URL(filePath: try requiredText(.state)).standardizedFileURL.path,
            secrets: text(.secrets).map { URL(filePath: $0).standardizedFileURL.path })
    }
}
