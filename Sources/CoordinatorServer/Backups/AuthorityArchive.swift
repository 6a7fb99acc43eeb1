import Coordinator
import Domain
import FleetIdentity
import Foundation

/// The fleet's keys in one sealed file. Blocks.
enum AuthorityArchive {
    private static let purpose = "authority"

    private struct Entry: Codable {
        let name: String
        let content: Data
    }

    /// Returns how many files are in it.
    static func seal(_ files: [BackupFile], to path: String, _ passphrase: Passphrase) throws -> Int {
        let entries = files.map { Entry(name: $0.name, content: Data($0.content)) }
        let writer = try SealedFileWriter(path: path, purpose: purpose, key: try SealKey(passphrase: passphrase))
        try writer.write(Array(try JSONEncoder().encode(entries)))
        _ = try writer.finish()
        return files.count
    }

    static func open(_ path: String, _ passphrase: Passphrase) throws -> [BackupFile] {
        let reader = try SealedFileReader(path: path, purpose: purpose, keys: SealKeyRing(passphrase: passphrase))
        let bytes = try reader.read(16 << 20)
        guard let entries = try? JSONDecoder().decode([Entry].self, from: Data(bytes)) else {
            throw ServiceError(
                .validationFailed, "\(path) does not have the keys of a fleet", rule: "authority-archive",
                nextStep: "Use the file that pagewright-coordinator ca export made.")
        }
        return entries.map { BackupFile(name: $0.name, content: Array($0.content)) }
    }
}
