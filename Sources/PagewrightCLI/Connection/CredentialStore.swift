import Foundation

/// The credentials file: `credentials.json` in `PAGEWRIGHT_CONFIG`, or in `~/.config/pagewright`. Only its owner can
/// read it.
struct CredentialStore: Sendable {
    let directory: String
    private var path: String { directory + "/credentials.json" }

    init(directory: String) { self.directory = directory }

    init(environment: [String: String]) {
        if let directory = environment["PAGEWRIGHT_CONFIG"], !directory.isEmpty {
            self.directory = directory
        } else if let directory = environment["XDG_CONFIG_HOME"], !directory.isEmpty {
            self.directory = directory + "/pagewright"
        } else {
            self.directory = (environment["HOME"] ?? NSHomeDirectory()) + "/.config/pagewright"
        }
    }

    /// Empty when there is no file.
    func load() throws -> Credentials {
        guard let data = FileManager.default.contents(atPath: path) else {
            guard FileManager.default.fileExists(atPath: path) else { return Credentials() }
            throw CLIError(.failed, "cannot read \(path)", nextStep: "Check who owns the file.")
        }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(Credentials.self, from: data)
        } catch {
            throw CLIError(
                .failed, "\(path) is not a credentials file", nextStep: "Delete it, then: pagewright login.")
        }
    }

    /// Loads, changes and saves while no other `pagewright` does, so that two of them never use one refresh token.
    func update<Value>(_ change: (inout Credentials) async throws -> Value) async throws -> Value {
        let lock = try await acquireLock()
        defer { close(lock) }
        var credentials = try load()
        let before = credentials
        let value = try await change(&credentials)
        if credentials != before { try save(credentials) }
        return value
    }

    private func acquireLock() async throws -> Int32 {
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lock = open(directory + "/credentials.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw cannotWrite(errno) }
        let deadline = ContinuousClock.now + .seconds(30)
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline else {
                close(lock)
                throw CLIError(
                    .timedOut, "another pagewright keeps \(directory)/credentials.lock", nextStep: "Wait for it to end."
                )
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return lock
    }

    private func save(_ credentials: Credentials) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(credentials)
        let temporary = path + ".new"
        let file = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw cannotWrite(errno) }
        fchmod(file, 0o600)
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: data)
            try handle.synchronize()
            try handle.close()
        } catch {
            throw cannotWrite(errno)
        }
        guard rename(temporary, path) == 0 else { throw cannotWrite(errno) }
    }

    private func cannotWrite(_ code: Int32) -> CLIError {
        CLIError(
            .failed, "cannot write \(path): \(String(cString: strerror(code)))",
            nextStep: "Free space or rights there, or name another folder in PAGEWRIGHT_CONFIG.")
    }
}
