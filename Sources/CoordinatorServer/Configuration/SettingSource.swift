import Configuration
import Domain
import Foundation

/// Finds settings: the command line wins over the environment, which wins over the file, which wins over the standard.
///
/// Every error names the setting where the operator wrote it.
struct SettingSource: Sendable {
    private let reader: ConfigReader
    private let flags: Set<String>
    private let environment: [String: String]
    private let file: ConfigurationFile?

    init(flags: [Setting: String] = [:], environment: [String: String], file: ConfigurationFile?) {
        let given = Dictionary(uniqueKeysWithValues: flags.map { ($0.key.name, $0.value) })
        self.flags = Set(given.keys)
        // An empty variable counts as not set, so that it does not hide the file.
        let environment = environment.filter { $0.key.hasPrefix("PAGEWRIGHT_") && !$0.value.isEmpty }
        self.environment = environment
        self.file = file
        reader = ConfigReader(providers: [
            InMemoryProvider(name: "command line", values: Self.values(given)),
            EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "pagewright"),
            InMemoryProvider(
                name: file?.path ?? "no file", values: Self.values(file?.entries.mapValues(\.text) ?? [:])),
        ])
    }

    private static func values(_ texts: [String: String]) -> [AbsoluteConfigKey: ConfigValue] {
        Dictionary(
            uniqueKeysWithValues: texts.map { name, text in
                (AbsoluteConfigKey(ConfigKey(name)), ConfigValue(.string(text), isSecret: false))
            })
    }

    /// The value; `nil` when nobody set it and it has no standard. An empty text counts as not set.
    func text(_ setting: Setting) -> String? {
        guard let found = reader.string(forKey: ConfigKey(setting.name), isSecret: setting.isSecret), !found.isEmpty
        else { return setting.standard }
        return found
    }

    func requiredText(_ setting: Setting) throws(ServiceError) -> String {
        guard let text = text(setting) else {
            throw ServiceError(
                .failedPrecondition, "\(setting.name) is not set: \(setting.help)",
                nextStep: "Give \(setting.flag), \(setting.variable), or \(setting.name) in the configuration file.")
        }
        return text
    }

    /// A TCP port, 0 to 65535.
    func port(_ setting: Setting) throws(ServiceError) -> Int {
        let text = try requiredText(setting)
        guard let port = Int(text), (0...65_535).contains(port) else { throw wrong(setting, "is a port, 0 to 65535") }
        return port
    }

    /// A time such as `30s`, `15m`, `24h` or `7d`; a bare number is seconds.
    func duration(_ setting: Setting) throws(ServiceError) -> Duration {
        guard let duration = TimeSpan.parsed(try requiredText(setting)) else {
            throw wrong(setting, "is a time such as 30s, 15m, 24h or 7d")
        }
        return duration
    }

    func boolean(_ setting: Setting) throws(ServiceError) -> Bool {
        switch text(setting)?.lowercased() {
        case nil, "false", "no", "off", "0": return false
        case "true", "yes", "on", "1": return true
        default: throw wrong(setting, "is true or false")
        }
    }

    /// The value read by `read`, which throws when the text is not what `expectation` says.
    func value<Value>(
        _ setting: Setting, _ expectation: String, _ read: (String) throws -> Value?
    ) throws(ServiceError) -> Value? {
        guard let text = text(setting) else { return nil }
        do {
            if let value = try read(text) { return value }
        } catch {
            throw wrong(setting, expectation, cause: error)
        }
        throw wrong(setting, expectation)
    }

    /// A secret, from the environment or from the file that `<name>-file` names. Never from the command line, which
    /// others on the machine can read.
    func secret(_ setting: Setting) throws(ServiceError) -> String? {
        if let direct = text(setting) { return direct }
        guard let path = reader.string(forKey: ConfigKey(setting.fileSetting)), !path.isEmpty else { return nil }
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return String(text.prefix { !$0.isNewline })
        } catch {
            throw ServiceError(
                .failedPrecondition, "cannot read \(path), which \(setting.fileSetting) names",
                nextStep: "Check that the file is there and that this user may read it.", cause: error)
        }
    }

    /// An error that says where the wrong value stands; a secret is not shown.
    func wrong(_ setting: Setting, _ expectation: String, cause: (any Error)? = nil) -> ServiceError {
        let shown = setting.isSecret ? "what it is set to" : "“\(text(setting) ?? "")”"
        return ServiceError(
            .failedPrecondition, "\(origin(of: setting)) \(expectation), not \(shown)",
            nextStep: "Correct it; pagewright-coordinator settings says what each means.", cause: cause)
    }

    /// Where the value in force was written.
    func origin(of setting: Setting) -> String {
        if flags.contains(setting.name) { return setting.flag }
        if environment[setting.variable] != nil { return setting.variable }
        if let file, let entry = file.entries[setting.name] {
            return "\(setting.name) (\(file.path), line \(entry.line))"
        }
        return setting.name
    }
}
