import ArgumentParser
import Glibc

/// Where the agent keeps what it has; one folder for everything.
struct StateFolder: Sendable, ExpressibleByArgument {
    static let standard = StateFolder(path: "/var/lib/pagewright-agent")
    let path: String

    init(path: String) { self.path = path }

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        if argument.hasPrefix("/") {
            path = argument
        } else {
            guard let here = getcwd(nil, 0) else { return nil }
            defer { free(here) }
            path = String(cString: here) + "/" + argument
        }
    }

    var defaultValueDescription: String { path }

    var identity: String { path + "/identity" }
    var blobs: String { path + "/blobs" }
    var spool: String { path + "/spool" }
    var jobs: String { path + "/jobs" }
    /// What engines remember of conversations.
    var conversations: String { path + "/conversations" }
    /// What browsers are shown, and what they leave.
    var looks: String { path + "/looks" }
    /// Where each job finds its socket to a model.
    var ways: String { run + "/models" }
    private var run: String { path + "/run" }
    var socket: String { run + "/agent.sock" }
    var upgradeLock: String { run + "/upgrade.lock" }
    var upgradeLog: String { run + "/upgrade.log" }

    /// Makes the folders that no part makes for itself. Others may pass through the state folder, because nginx's
    /// workers are others when the agent is root, and must reach what they serve. Whatever is not for them is closed by
    /// itself.
    func prepare() throws(FolderError) {
        for folder in [path, run] where mkdir(folder, 0o700) != 0 && errno != EEXIST {
            throw Self.failure("make", folder)
        }
        for folder in [identity, blobs, spool, jobs, run] where chmod(folder, 0o700) != 0 && errno != ENOENT {
            throw Self.failure("close", folder)
        }
        var facts = stat()
        guard stat(path, &facts) == 0, chmod(path, facts.st_mode & 0o7777 | 0o711) == 0 else {
            throw Self.failure("open", path)
        }
    }

    private static func failure(_ attempt: String, _ folder: String) -> FolderError {
        FolderError(description: "cannot \(attempt) the folder \(folder): \(String(cString: strerror(errno)))")
    }

    struct FolderError: Error, CustomStringConvertible {
        let description: String
    }
}

/// The option of every command.
struct StateOption: ParsableArguments {
    @Option(help: "The agent's state folder.") var state = StateFolder.standard
    @Flag(help: "Print JSON.") var json = false
}
