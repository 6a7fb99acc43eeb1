import Coordinator
import Domain
import FleetIdentity
import Foundation

/// The small files of a backup: which they are, and where they belong.
struct BackupFiles: Sendable {
    private static let tokenKeyName = "access-token.key"
    /// What opens the keys for models that are kept in the database.
    private static let sealingKeyName = "engine-keys.key"
    private static let configurationName = "configuration.yaml"

    let folder: StateFolder

    /// Reads the keys and the configuration. Blocks.
    func read(configuration: String?) throws -> [BackupFile] {
        let authority = DurableFolder(path: folder.authority)
        var files: [BackupFile] = []
        for name in try authority.names() {
            if let content = try authority.read(name) { files.append(BackupFile(name: "ca/" + name, content: content)) }
        }
        guard files.contains(where: { $0.name == "ca/ca.key" }) else {
            throw ServiceError(
                .failedPrecondition, "the key of the fleet's authority is not in \(folder.authority)",
                nextStep: "Start the coordinator once, or name the folder with --secrets.")
        }
        for (name, path) in [(Self.tokenKeyName, folder.tokenKey), (Self.sealingKeyName, folder.sealingKey)] {
            guard let key = FileManager.default.contents(atPath: path) else { continue }
            files.append(BackupFile(name: name, content: Array(key)))
        }
        if let configuration, let content = FileManager.default.contents(atPath: configuration) {
            files.append(BackupFile(name: Self.configurationName, content: Array(content)))
        }
        return files
    }

    /// Puts them where they belong; keys that are there already are not replaced by others. The configuration is put
    /// beside, for a person to compare. Blocks.
    func write(_ files: [BackupFile]) throws {
        try folder.create()
        let authority = DurableFolder(path: folder.authority)
        try authority.create()
        let secrets = DurableFolder(path: folder.secrets)
        for file in files {
            switch file.name {
            case let name where name.hasPrefix("ca/") && !name.dropFirst(3).contains("/") && !name.contains(".."):
                try put(file.content, as: String(name.dropFirst(3)), in: authority)
            case Self.tokenKeyName, Self.sealingKeyName: try put(file.content, as: file.name, in: secrets)
            case Self.configurationName:
                try DurableFolder(path: folder.path).write(file.content, to: "restored-configuration.yaml")
            default: continue
            }
        }
    }

    /// Throws when there are other keys, before anything is changed. Blocks.
    func requireRoom(for files: [BackupFile]) throws {
        let authority = DurableFolder(path: folder.authority)
        for file in files where file.name.hasPrefix("ca/") {
            if let present = try authority.read(String(file.name.dropFirst(3))), present != file.content {
                throw ServiceError(
                    .failedPrecondition, "\(folder.authority) has keys of another fleet", rule: "restore-keys",
                    nextStep: "Restore into an empty folder, or move those keys away.")
            }
        }
    }

    private func put(_ content: [UInt8], as name: String, in folder: DurableFolder) throws {
        try folder.write(content, to: name, mode: name.hasSuffix(".pem") ? 0o644 : 0o600)
    }
}
