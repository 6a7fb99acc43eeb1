import Foundation
import TestSupport
import Testing

@testable import Sandbox

/// One way in which a task may try to leave its sandbox. Its program prints `out` when it got out.
struct EscapeAttempt: Sendable, CustomTestStringConvertible {
    let name: String
    let program: String

    var testDescription: String { name }

    /// - Parameter program: in perl; `CANARY` is a file of this host, `PROCESS` one of its processes.
    init(_ name: String, _ program: String) { (self.name, self.program) = (name, program) }

    /// A command of the shell that gets out when it succeeds.
    init(_ name: String, shell command: String) {
        self.init(name, "print \"out\\n\" if system('/bin/sh', '-c', q{(\(command)) > /dev/null 2>&1}) == 0;")
    }

    #if arch(x86_64)
        /// A call of the kernel that gets out unless the filter itself refuses it. The arguments are harmless where a call
        /// without a filter would do harm.
        init(_ name: String, call number: Int, _ arguments: String = "0, 0, 0, 0, 0", arm: Int) {
            self.init(
                name,
                "my @a = (\(arguments)); my $r = syscall(\(number), @a); print \"out $r $!\\n\" unless $r == -1 && ($!{EPERM} || $!{ENOSYS});"
            )
        }
    #else
        init(_ name: String, call number: Int, _ arguments: String = "0, 0, 0, 0, 0", arm: Int) {
            self.init(
                name,
                "my @a = (\(arguments)); my $r = syscall(\(arm), @a); print \"out $r $!\\n\" unless $r == -1 && ($!{EPERM} || $!{ENOSYS});"
            )
        }
    #endif
}

/// Escapes in a real sandbox: none reads, writes or hurts anything outside. Where a wall that does not stand would hurt the
/// machine that runs the test, an attempt opens what it could write and does not write.
@Suite(.serialized) struct EscapeCorpusTests {
    static let corpus: [EscapeAttempt] = [
        // Mounts and roots
        .init("Mount a file system", shell: "mount -t tmpfs none /tmp"),
        .init("Mount by the kernel's call", call: 165, "'none', '/tmp', 'tmpfs', 0, 0", arm: 40),
        .init("Mount the root again, writable", shell: "mount -o remount,rw /"),
        .init("Mount /usr again, writable", call: 165, "'none', '/usr', 'none', 4096 | 32, 0", arm: 40),
        .init("Unmount the workspace", call: 166, "'/site', 2", arm: 39),
        .init("Another root by chroot", call: 161, "'/site'", arm: 51),
        .init("Another root by pivot_root", call: 155, "'/site', '/site'", arm: 41),
        .init("Open a mount tree", call: 428, "-100, '/', 1", arm: 428),
        .init("Open a file system", call: 430, "'tmpfs', 0", arm: 430),
        .init("Open a file by its handle", call: 304, "3, 0, 0", arm: 265),
        // Namespaces and privileges
        .init("A new user namespace", shell: "unshare -U true"),
        .init("A new mount namespace", shell: "unshare -m true"),
        .init("A new process namespace", shell: "unshare -p -f true"),
        .init("A new user namespace by clone", call: 56, "0x10000011, 0, 0, 0, 0", arm: 220),
        .init("A new user namespace by clone3", call: 435, "0, 88", arm: 435),
        .init(
            "The namespaces of the first process",
            "for my $n (qw(mnt pid net user uts ipc)) { open(F, '<', \"/proc/1/ns/$n\") or next; print \"out\\n\" if syscall(308, fileno(F), 0) == 0; }"
        ),
        .init("Become root", "$< = 0; $> = 0; print \"out\\n\" if $> == 0 || $< == 0;"),
        .init(
            "A program with the set-user-id bit",
            shell: "cp /usr/bin/id /tmp/i && chmod 4755 /tmp/i && [ \"$(/tmp/i -u)\" = 0 ]"),
        .init("su", shell: "echo | su root -c true"),
        .init(
            "Take capabilities",
            "my $h = pack('LL', 0x20080522, 0); my $d = pack('L6', 0xffffffff, 0xffffffff, 0, 0xffffffff, 0xffffffff, 0); syscall(126, $h, $d); open(F, '<', '/proc/self/status'); for (<F>) { print \"out\\n\" if /^CapEff:\\s*0*[1-9a-f]/ }"
        ),
        .init(
            "Allow new privileges again",
            "syscall(157, 38, 0, 0, 0, 0); open(F, '<', '/proc/self/status'); for (<F>) { print \"out\\n\" if /^NoNewPrivs:\\s*0/ }"
        ),
        .init(
            "Write a map of users",
            "open(F, '>', '/proc/self/uid_map') or die; print \"out\\n\" if syswrite(F, \"0 0 1\\n\");"),
        // The filter of calls
        .init(
            "Switch the filter off",
            "syscall(157, 22, 0, 0, 0, 0); open(F, '<', '/proc/self/status'); for (<F>) { print \"out\\n\" if /^Seccomp:\\s*[01]$/ }"
        ),
        .init("A call by the numbers of x32", call: 0x4000_0000 + 165, "'none', '/tmp', 'tmpfs', 0, 0", arm: 40),
        .init("Load a program into the kernel by bpf", call: 321, "0, 0, 0", arm: 280),
        .init("io_uring", call: 425, "8, 0", arm: 425),
        .init("userfaultfd", call: 323, "0", arm: 282),
        .init("perf_event_open", call: 298, "0, 0, -1, -1, 0", arm: 241),
        .init("Keys of the kernel", call: 250, "0, -3, 1", arm: 219),
        .init("Add a key", call: 248, "'user', 'x', 'y', 1, -3", arm: 217),
        .init("Load a kernel", call: 246, arm: 104),
        .init("Load a module", call: 175, "'x', 1, ''", arm: 105),
        .init("Watch all files", call: 300, "0, 0", arm: 262),
        .init("Swap", call: 167, "0, 0", arm: 224),
        .init("Restart the machine", call: 169, "0, 0, 0, 0", arm: 142),
        .init("Set the clock", call: 227, "0, 0", arm: 112),
        .init("Another host name", call: 170, "0, 0", arm: 161),
        .init("The kernel's messages", call: 103, "3, 0, 0", arm: 116),
        .init("Type into a terminal", "my $c = 'x'; print \"out\\n\" if ioctl(STDIN, 0x5412, $c);"),
        // Other processes
        .init("Trace the first process", call: 101, "16, 1, 0, 0", arm: 117),
        .init("Read another process' memory", call: 310, "1, 0, 0, 0, 0, 0", arm: 270),
        .init("Kill a process of the host", "print \"out\\n\" if kill(9, PROCESS);"),
        .init("Kill everything", "kill(9, -1); print \"out\\n\" if !-e '/proc/1';"),
        .init("Take a descriptor of the first process", call: 438, "0, 0, 0", arm: 438),
        .init("See a process of the host", "print \"out\\n\" if -e '/proc/PROCESS';"),
        // Files
        .init("The host's passwords", shell: "cat /etc/shadow"),
        .init("A file of the host by its path", shell: "cat CANARY"),
        .init(
            "A file of the host by the first process' root", shell: "cat /proc/1/root/CANARY || cat /proc/1/cwd/CANARY"),
        .init(
            "A file of the host above the workspace", shell: "cat ../../../../../CANARY || cat /proc/self/cwd/../secret"
        ),
        .init("A file of the host by a symbolic link", shell: "ln -s CANARY link && cat link"),
        .init("A file of the host by a hard link", shell: "ln CANARY hard && cat hard"),
        .init("A hard link to a program of the host", shell: "ln /usr/bin/env hard"),
        .init("Write a program of the host", shell: "echo x >> /usr/bin/env"),
        .init(
            "Write beside the programs of the host",
            shell: "touch /usr/x || touch /usr/local/bin/x || touch /opt/x || touch /x || touch /etc/x"),
        .init("Replace what others will start", shell: "mv /bin /old || rm /bin || ln -sf /site /bin"),
        .init("A device", shell: "mknod /site/d b 8 0 || mknod /tmp/d c 1 1"),
        .init(
            "Devices of the host",
            shell: "ls /dev/mem || ls /dev/kmsg || ls /dev/sda || ls /dev/vda || ls /dev/kvm || ls /dev/fuse"),
        .init(
            "The kernel's settings",
            shell: "true >> /proc/sys/kernel/core_pattern || true >> /proc/sys/kernel/sysrq"),
        .init("The kernel's magic key", shell: "true >> /proc/sysrq-trigger"),
        .init("Control groups and devices by /sys", shell: "ls /sys/fs/cgroup || ls /sys/kernel"),
        .init("Memory of the machine", shell: "head -c 1 /proc/kcore || head -c 1 /dev/mem"),
        // Limits
        .init("More open files", shell: "prlimit --nofile=100000:100000 true"),
        .init("More processes", shell: "prlimit --nproc=unlimited:unlimited true"),
        .init("Larger files", shell: "prlimit --fsize=unlimited:unlimited true"),
        .init("A dump of memory", shell: "prlimit --core=unlimited:unlimited true"),
        .init("Be spared when memory is short", shell: "echo -1000 > /proc/self/oom_score_adj"),
        .init("More of the processor", "print \"out\\n\" if setpriority(0, 0, -10);"),
        .init(
            "A descriptor of ours",
            "for my $n (3 .. 200) { open(F, '<&=', $n) or next; my $p = readlink(\"/proc/self/fd/$n\") or next; print \"out $p\\n\" unless $p =~ m{^/proc}; }"
        ),
        .init(
            "A variable of ours",
            "for (keys %ENV) { print \"out\\n\" unless /^(HOME|PATH|LANG|TMPDIR|TERM|PWD|OLDPWD|SHLVL|_)$/ }"),
    ]

    @Test("A task does not get out of its sandbox", arguments: corpus)
    func staysInside(attempt: EscapeAttempt) async throws {
        let victim = try await TestChild(["/bin/sleep", "600"])
        defer { victim.kill() }
        try await Wait.until("the victim to run") { !Self.sleepers().isEmpty }
        let number = try #require(Self.sleepers().first)
        try await withTemporaryDirectory { folder in
            let site = folder + "/a/site"
            try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: true)
            let canary = folder + "/canary"
            try Data("canary".utf8).write(to: URL(filePath: canary))
            try Data("canary".utf8).write(to: URL(filePath: folder + "/a/secret"))
            let program = attempt.program.replacing("CANARY", with: canary).replacing("PROCESS", with: "\(number)")
            let said = TaskOutput()
            let outcome = try await SandboxRunner().run(
                SandboxPlan(
                    workspace: site, command: ["/usr/bin/perl", "-e", "eval {\n\(program)\n};\nprint \"tried\\n\";"],
                    limits: SandboxLimits(wallTime: .seconds(60)))
            ) { said.add($0, 0) }
            #expect(said.lines.last == "tried", "\(said.lines) \(said.diagnostics)")
            #expect(!said.lines.contains { $0.hasPrefix("out") }, "\(said.lines) \(said.diagnostics)")
            if case .exceeded = outcome.ending { Issue.record("\(outcome)") }
            #expect(victim.isRunning)
            #expect(try String(contentsOfFile: canary, encoding: .utf8) == "canary")
        }
    }

    #if arch(x86_64)
        /// `mkdir("/tmp/out32")` by interrupt 0x80: calls of 32-bit programs have other numbers, which a filter for 64
        /// bits would take for harmless ones.
        @Test("A call of a 32-bit program ends it")
        func otherArchitecture() async throws {
            let code: [UInt8] = [
                0xb8, 0x27, 0, 0, 0, 0xbb, 0x7d, 0x80, 0x04, 0x08, 0xb9, 0xff, 0x01, 0, 0, 0xcd, 0x80,  // mkdir
                0xb8, 0x01, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80,  // exit(0)
            ]
            var program: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            program += [2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            program += [52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0]
            program += [1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x04, 0x08, 0, 0x80, 0x04, 0x08]
            program += [0x90, 0, 0, 0, 0x90, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0]
            program += code
            while program.count < 0x7d { program.append(0) }
            program += Array("/tmp/out32".utf8) + [0]
            while program.count < 0x90 { program.append(0) }
            try await withTemporaryDirectory { folder in
                try Data(program).write(to: URL(filePath: folder + "/small"))
                let said = TaskOutput()
                _ = try await SandboxRunner().run(
                    SandboxPlan(
                        workspace: folder,
                        command: [
                            "/bin/sh", "-c", "chmod +x small; ./small; echo $?; [ -d /tmp/out32 ] && echo out; true",
                        ], limits: SandboxLimits(wallTime: .seconds(60)))
                ) { said.add($0, 0) }
                #expect(!said.lines.contains("out"), "\(said.lines)")
                // Killed by the filter (128 + SIGSYS), or not understood by a kernel without such programs.
                #expect(["159", "126"].contains(said.lines.first), "\(said.lines) \(said.diagnostics)")
            }
        }
    #endif

    /// Processes of this host that sleep for ten minutes, as these tests start them.
    private static func sleepers() -> [Int] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int($0) }.filter {
            FileManager.default.contents(atPath: "/proc/\($0)/cmdline") == Data("/bin/sleep\u{0}600\u{0}".utf8)
        }
    }

    @Test("The corpus has at least forty attempts")
    func size() { #expect(Self.corpus.count >= 40) }
}
