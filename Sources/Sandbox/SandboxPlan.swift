/// What a sandbox looks like from inside: pure text that ``SandboxRunner`` carries out.
///
/// The program sees its workspace at `/site`, a read-only `/usr`, small private `/tmp` and `/home`, what is bound on
/// purpose, and nothing else: no network, no other process, no way to make a namespace, no variable of ours.
package struct SandboxPlan: Sendable, Equatable {
    /// A file or folder of the host that is visible inside.
    package struct Bind: Sendable, Equatable {
        package let source: String
        package let destination: String

        package init(_ source: String, at destination: String) {
            self.source = source
            self.destination = destination
        }
    }

    /// A small file that exists only inside.
    package struct File: Sendable, Equatable {
        package let path: String
        package let text: String

        package init(_ path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// A way to one service outside: the socket `model.sock` in `folder` answers at `127.0.0.1:port` inside.
    package struct ModelSocket: Sendable, Equatable {
        package static let name = "model.sock"
        package let folder: String
        package let port: Int

        package init(folder: String, port: Int = 8399) {
            self.folder = folder
            self.port = port
        }
    }

    package static let workspacePath = "/site"
    static let limiter = "/usr/bin/prlimit"
    static let innerBridge = "/usr/bin/socat"

    /// The folder of the host that appears at `/site` and can be written.
    package var workspace: String
    /// Absolute path inside, then arguments.
    package var command: [String]
    package var environment: [String: String]
    package var readOnlyBinds: [Bind]
    /// Count against the limits of the workspace.
    package var writableBinds: [Bind]
    package var modelSocket: ModelSocket?
    package var limits: SandboxLimits
    package var temporarySizeInBytes: Int64 = 64 << 20
    package var homeSizeInBytes: Int64 = 64 << 20
    /// What each process may write to in its memory, where no control group limits them together. For programs that
    /// reserve far more addresses than they use, such as browsers; others have their address space limited.
    package var dataSizeInBytes: Int64?

    package init(
        workspace: String, command: [String], environment: [String: String] = [:], readOnlyBinds: [Bind] = [],
        writableBinds: [Bind] = [], modelSocket: ModelSocket? = nil, limits: SandboxLimits = SandboxLimits()
    ) {
        self.workspace = workspace
        self.command = command
        self.environment = environment
        self.readOnlyBinds = readOnlyBinds
        self.writableBinds = writableBinds
        self.modelSocket = modelSocket
        self.limits = limits
    }

    /// Descriptors that bubblewrap inherits, by number.
    enum Descriptor {
        /// It writes JSON here: the process number of the sandbox, later the exit code.
        static let status: Int32 = 3
        /// It waits for a byte here before the program begins.
        static let gate: Int32 = 4
        static let seccomp: Int32 = 5
        static let firstFile: Int32 = 6
    }

    /// The few files that programs expect in `/etc`.
    static let files = [
        File("/etc/passwd", text: "root:x:0:0:root:/:/usr/sbin/nologin\nagent:x:1000:1000::/home/agent:/bin/sh\n"),
        File("/etc/group", text: "root:x:0:\nagent:x:1000:\n"),
        File("/etc/hosts", text: "127.0.0.1 localhost\n::1 localhost\n"),
        File("/etc/nsswitch.conf", text: "passwd: files\ngroup: files\nhosts: files\n"),
        File("/etc/resolv.conf", text: ""),
    ]

    /// Arguments for bubblewrap, the program's name not among them.
    ///
    /// - Parameter limitsAddressSpace: whether memory is limited for each process, because no control group can.
    package func arguments(limitsAddressSpace: Bool) -> [String] {
        var list = [
            "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session",
            "--hostname", "sandbox", "--clearenv", "--uid", "1000", "--gid", "1000",
            "--json-status-fd", "\(Descriptor.status)", "--block-fd", "\(Descriptor.gate)",
            "--seccomp", "\(Descriptor.seccomp)",
            "--ro-bind", "/usr", "/usr",
            "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin",
            "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            // The host's root owns the kernel's settings also inside, when the agent is root: they are read-only there.
            "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev",
            "--size", "16777216", "--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev",
            "--size", "\(temporarySizeInBytes)", "--perms", "1777", "--tmpfs", "/tmp",
            "--size", "\(homeSizeInBytes)", "--perms", "0755", "--tmpfs", "/home", "--dir", "/home/agent",
            "--perms", "0755", "--dir", "/etc",
            "--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
            "--ro-bind-try", "/etc/ssl/certs", "/etc/ssl/certs",
        ]
        for (index, file) in Self.files.enumerated() {
            list += ["--perms", "0444", "--ro-bind-data", "\(Descriptor.firstFile + Int32(index))", file.path]
        }
        for bind in readOnlyBinds { list += ["--ro-bind", bind.source, bind.destination] }
        if let modelSocket { list += ["--ro-bind", modelSocket.folder, "/run/model"] }
        for bind in writableBinds { list += ["--bind", bind.source, bind.destination] }
        list += ["--bind", workspace, Self.workspacePath, "--chdir", Self.workspacePath]
        var environment = [
            "HOME": "/home/agent", "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": "/tmp",
            "TERM": "dumb",
        ]
        environment.merge(self.environment) { _, ours in ours }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) { list += ["--setenv", name, value] }
        list += ["--remount-ro", "/", "--"]
        return list + limited(limitsAddressSpace: limitsAddressSpace) + bridged
    }

    /// Limits are set inside, so that processes are counted for this sandbox alone. They cannot be raised again.
    private func limited(limitsAddressSpace: Bool) -> [String] {
        var list = [
            Self.limiter, "--nofile=\(limits.openFiles)", "--fsize=\(limits.fileSizeInBytes)",
            "--nproc=\(limits.processes)", "--cpu=\(max(1, limits.wallTime.components.seconds * 4))", "--core=0",
        ]
        if limitsAddressSpace {
            list.append(dataSizeInBytes.map { "--data=\($0)" } ?? "--as=\(limits.memoryInBytes)")
        }
        return list + ["--"]
    }

    /// The command; with a model's socket, after the bridge to it listens.
    private var bridged: [String] {
        guard let modelSocket else { return command }
        let port = modelSocket.port
        let hexadecimal = String(port, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - hexadecimal.utf8.count)) + hexadecimal
        let script = """
            \(Self.innerBridge) TCP-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr \
            UNIX-CONNECT:/run/model/\(ModelSocket.name) </dev/null >/dev/null 2>&1 &
            i=0
            while ! grep -q ":\(padded) 00000000:0000 0A" /proc/net/tcp; do
            i=$((i+1)); [ $i -lt 1000 ] || { echo "the bridge to the model did not start" >&2; exit 125; }
            sleep 0.01
            done
            exec "$@"
            """
        return ["/bin/sh", "-c", script, "sh"] + command
    }
}
