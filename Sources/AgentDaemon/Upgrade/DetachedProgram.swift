import Domain
import Glibc

/// A program in a session of its own, so that it outlives the agent that starts it.
enum DetachedProgram {
    /// Its output is added to the file `log`. Blocks for a moment; returns its process.
    static func start(_ program: String, arguments: [String], log: String) throws(ServiceError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // POSIX_SPAWN_SETSID, which is a GNU name.
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | newSession))
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        // No variable of ours but where programs are.
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        let environment: [String] = ["PATH=\(path)", "LANG=C.UTF-8", "HOME=/"]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) }
        variables.append(nil)
        defer { for variable in variables { free(variable) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, program, &actions, &attributes, &words, &variables)
        guard result == 0 else {
            throw ServiceError(
                .failedPrecondition, "cannot start \(program): \(String(cString: strerror(result)))",
                rule: "upgrade-command")
        }
        return process
    }

    /// Runs it to its end, at most so many seconds; then it is killed with all that it started. Blocks. Returns the exit
    /// code, or 128 and more for a signal.
    static func run(_ program: String, arguments: [String], log: String, seconds: Int) throws(ServiceError) -> Int32 {
        let process = try start(program, arguments: arguments, log: log)
        var status: Int32 = 0
        for _ in 0..<(seconds * 10) {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f) }
            if ended < 0 && errno != EINTR { return 127 }
            usleep(100_000)
        }
        // Its session is its process group.
        kill(-process, SIGKILL)
        waitpid(process, &status, 0)
        return 137
    }
}
