import Domain
import Foundation
import Yams

/// A configuration file in YAML: settings by name, nested at the dots.
struct ConfigurationFile: Sendable {
    /// One value, as it was written, and the line that it stands in (from 1).
    struct Entry: Sendable, Equatable {
        let text: String
        let line: Int
    }

    let path: String
    /// By full name, such as `agents.port`.
    let entries: [String: Entry]

    /// The file at `path`. Throws with the line for what is no YAML, no setting, or no single value.
    static func read(_ path: String) throws(ServiceError) -> ConfigurationFile {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ServiceError(
                .failedPrecondition, "cannot read the configuration \(path)",
                nextStep: "Check that the file is there and that this user may read it.", cause: error)
        }
        return try parse(text, path: path)
    }

    static func parse(_ text: String, path: String) throws(ServiceError) -> ConfigurationFile {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw ServiceError(
                .failedPrecondition, "the configuration \(path) is no YAML", nextStep: "\(error)", cause: error)
        }
        var entries: [String: Entry] = [:]
        switch root {
        case nil: break
        case .mapping(let mapping): try collect(mapping, below: "", path: path, into: &entries)
        case .scalar(let scalar) where scalar.string.isEmpty: break
        default:
            throw ServiceError(
                .failedPrecondition, "the configuration \(path) is no list of settings",
                nextStep: "Write one setting a line, as in: port: 8085")
        }
        return ConfigurationFile(path: path, entries: entries)
    }

    private static func collect(
        _ mapping: Node.Mapping, below prefix: String, path: String, into entries: inout [String: Entry]
    ) throws(ServiceError) {
        for (key, value) in mapping {
            let line = key.mark?.line ?? 0
            guard let word = key.string, !word.isEmpty else {
                throw ServiceError(.failedPrecondition, "\(path), line \(line): a name was expected")
            }
            let name = prefix + word
            switch value {
            case .mapping(let inner): try collect(inner, below: name + ".", path: path, into: &entries)
            case .scalar(let scalar):
                guard known.contains(name) else { throw unknown(name, path: path, line: line) }
                entries[name] = Entry(text: scalar.string, line: line)
            case .sequence, .alias:
                throw ServiceError(.failedPrecondition, "\(path), line \(line): \(name) takes one value")
            }
        }
    }

    private static let known = Set(
        Setting.all.map(\.name) + Setting.all.filter(\.isSecret).map(\.fileSetting))

    private static func unknown(_ name: String, path: String, line: Int) -> ServiceError {
        let last = name.split(separator: ".").last ?? ""
        let near = known.sorted().filter { $0.hasSuffix(last) || $0.hasPrefix(name) }
        return ServiceError(
            .failedPrecondition, "\(path), line \(line): there is no setting \(name)",
            nextStep: near.isEmpty
                ? "pagewright-coordinator settings lists all." : "Did you mean \(near.joined(separator: " or "))?")
    }
}
