import Glibc

/// Starts a shim. It inherits exactly the descriptors it is given, and no variable, mask or handler of ours.
enum ShimProcess {
    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// Returns when the task can be connected to in `folder`; the shim goes on in the background, in a session of its own.
    /// Blocks.
    static func start(_ shim: String, start: [UInt8], folder: String) throws {
        let input = OwnedDescriptor(try LinuxCall.makeMemoryFile(start))
        let null = try OwnedDescriptor.open("/dev/null", flags: O_RDWR)
        let reasons = OwnedDescriptor(try LinuxCall.makeMemoryFile([]))
        let process = try spawn(shim, arguments: [folder], descriptors: [input, null, reasons])
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw SystemFailure("waiting for a shim", errno) }
        }
        guard status == 0 else { throw SandboxError.cannotStart(Self.text(in: reasons)) }
    }

    private static func text(in file: OwnedDescriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(file.number, &bytes, bytes.count, 0)
        var text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        while text.last == "\n" { text.removeLast() }
        return text.isEmpty ? "the shim gave no reason" : text
    }

    /// - Parameter descriptors: becomes 0, 1, 2 and so on in the program.
    private static func spawn(
        _ program: String, arguments: [String], descriptors: [OwnedDescriptor]
    ) throws(SandboxError) -> pid_t {
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            throw .cannotStart("the C library is too old to close inherited files (glibc 2.34 or newer is needed)")
        }
        let addCloseFrom = unsafeBitCast(symbol, to: CloseFrom.self)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The numbers that are taken must not be numbers that are given, or one would overwrite the other.
        var moved: [OwnedDescriptor] = []
        for (target, descriptor) in descriptors.enumerated() {
            let high = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 100)
            guard high >= 0 else { throw .cannotStart("\(SystemFailure("dup", errno))") }
            moved.append(OwnedDescriptor(high))
            posix_spawn_file_actions_adddup2(&actions, high, Int32(target))
        }
        guard addCloseFrom(&actions, Int32(descriptors.count)) == 0 else {
            throw .cannotStart("inherited files cannot be closed")
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var process: pid_t = 0
        let result = posix_spawn(&process, program, &actions, &attributes, &words, &environment)
        withExtendedLifetime(moved) {}
        guard result == 0 else { throw .cannotStart("\(SystemFailure("starting \(program)", result))") }
        return process
    }
}
