/// A filter for system calls that no website editor needs: the kernel refuses them inside a sandbox.
///
/// It is a second wall behind the namespaces: it closes doors to the kernel that have often been broken open.
package enum SeccompFilter {
    package enum Architecture: Sendable, CaseIterable {
        case x86_64, aarch64

        package static var current: Architecture {
            #if arch(x86_64)
                .x86_64
            #elseif arch(arm64)
                .aarch64
            #else
                #error("there is no system call filter for this processor")
            #endif
        }

        /// `AUDIT_ARCH_…` as the kernel reports it.
        fileprivate var auditValue: UInt32 {
            switch self {
            case .x86_64: 0xC000_003E
            case .aarch64: 0xC000_00B7
            }
        }
    }

    /// Refused with "operation not permitted". Numbers: x86-64, AArch64 (`nil`: it has no such call).
    private static let denied: [(name: String, x86: UInt32, arm: UInt32?)] = [
        // mounts
        ("mount", 165, 40), ("umount2", 166, 39), ("pivot_root", 155, 41), ("chroot", 161, 51),
        ("open_tree", 428, 428), ("move_mount", 429, 429), ("fsopen", 430, 430), ("fsconfig", 431, 431),
        ("fsmount", 432, 432), ("fspick", 433, 433), ("mount_setattr", 442, 442), ("open_tree_attr", 467, 467),
        ("open_by_handle_at", 304, 265), ("name_to_handle_at", 303, 264), ("quotactl", 179, 60),
        ("quotactl_fd", 443, 443), ("swapon", 167, 224), ("swapoff", 168, 225), ("acct", 163, 89),
        ("fanotify_init", 300, 262),
        // namespaces (clone has its own rule)
        ("unshare", 272, 97), ("setns", 308, 268), ("sethostname", 170, 161), ("setdomainname", 171, 162),
        // kernel machinery with a large surface
        ("bpf", 321, 280), ("io_uring_setup", 425, 425), ("io_uring_enter", 426, 426),
        ("io_uring_register", 427, 427), ("perf_event_open", 298, 241), ("userfaultfd", 323, 282),
        ("add_key", 248, 217), ("request_key", 249, 218), ("keyctl", 250, 219), ("kexec_load", 246, 104),
        ("kexec_file_load", 320, 294), ("init_module", 175, 105), ("finit_module", 313, 273),
        ("delete_module", 176, 106), ("reboot", 169, 142), ("syslog", 103, 116), ("iopl", 172, nil),
        ("ioperm", 173, nil), ("modify_ldt", 154, nil), ("vhangup", 153, 58),
        // other processes
        ("ptrace", 101, 117), ("process_vm_readv", 310, 270), ("process_vm_writev", 311, 271),
        ("pidfd_getfd", 438, 438), ("kcmp", 312, 272),
        // the clock
        ("settimeofday", 164, 170), ("clock_settime", 227, 112), ("clock_adjtime", 305, 266), ("adjtimex", 159, 171),
    ]

    private struct Numbers {
        let clone: UInt32
        let ioctl: UInt32
        let socket: UInt32
        static let clone3: UInt32 = 435
    }

    private static func numbers(_ architecture: Architecture) -> Numbers {
        switch architecture {
        case .x86_64: Numbers(clone: 56, ioctl: 16, socket: 41)
        case .aarch64: Numbers(clone: 220, ioctl: 29, socket: 198)
        }
    }

    /// Names of what is refused outright.
    package static func deniedNames(_ architecture: Architecture) -> [String] {
        denied.filter { architecture == .x86_64 || $0.arm != nil }.map(\.name)
    }

    /// The filter as the kernel and `bwrap --seccomp` read it: `struct sock_filter` after `struct sock_filter`.
    package static func program(for architecture: Architecture = .current) -> [UInt8] {
        var code = Assembler()
        let numbers = numbers(architecture)
        // A call by another ABI of the processor would mean other numbers.
        code.load(offset: Assembler.architecture)
        code.skip(ifEqual: architecture.auditValue, matched: 1)
        code.answer(.kill)
        code.load(offset: Assembler.number)
        if architecture == .x86_64 {
            code.skip(ifBelow: 0x4000_0000, matched: 1)  // x32
            code.answer(.refuse(.notImplemented))
        }
        for call in denied {
            guard let number = architecture == .x86_64 ? call.x86 : call.arm else { continue }
            code.refuse(number, .notPermitted)
        }
        // Its flags are behind a pointer, where a filter cannot look; without it the C library uses clone.
        code.refuse(Numbers.clone3, .notImplemented)
        code.rule(for: numbers.clone) {
            // new time, mount, cgroup, UTS, IPC, user, PID, network namespaces
            $0.load(offset: Assembler.argument(0))
            $0.refuse(
                ifAnyBit: 0x80 | 0x20000 | 0x200_0000 | 0x400_0000 | 0x800_0000 | 0x1000_0000 | 0x2000_0000
                    | 0x4000_0000)
        }
        code.rule(for: numbers.ioctl) {
            $0.load(offset: Assembler.argument(1))
            $0.refuse(0x5412, .notPermitted)  // TIOCSTI types into a terminal
            $0.refuse(0x541C, .notPermitted)  // TIOCLINUX can paste
        }
        code.rule(for: numbers.socket) {
            // Families beyond unix, IPv4, IPv6 and netlink: vsock, for one, knows no network namespace.
            $0.load(offset: Assembler.argument(0))
            for family: UInt32 in [1, 2, 10, 16] { $0.allow(family) }
            $0.answer(.refuse(.familyNotSupported))
        }
        code.answer(.allow)
        return code.bytes
    }
}

/// Builds a program for the kernel's packet filter machine.
private struct Assembler {
    enum Answer {
        case allow, kill
        case refuse(ErrorNumber)

        var value: UInt32 {
            switch self {
            case .allow: 0x7FFF_0000
            case .kill: 0x8000_0000
            case .refuse(let number): 0x0005_0000 | number.rawValue
            }
        }
    }

    enum ErrorNumber: UInt32 {
        case notPermitted = 1
        case notImplemented = 38
        case familyNotSupported = 97
    }

    /// Offsets in `struct seccomp_data`.
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4
    /// The low half of an argument, on little-endian machines.
    static func argument(_ index: UInt32) -> UInt32 { 16 + 8 * index }

    private(set) var bytes: [UInt8] = []

    private mutating func emit(_ code: UInt16, _ whenTrue: UInt8, _ whenFalse: UInt8, _ value: UInt32) {
        bytes += [UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8), whenTrue, whenFalse]
        for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func load(offset: UInt32) { emit(0x20, 0, 0, offset) }
    mutating func answer(_ answer: Answer) { emit(0x06, 0, 0, answer.value) }
    mutating func skip(ifEqual value: UInt32, matched: UInt8) { emit(0x15, matched, 0, value) }
    mutating func skip(ifBelow value: UInt32, matched: UInt8) { emit(0x35, 0, matched, value) }

    mutating func refuse(_ value: UInt32, _ number: ErrorNumber) {
        emit(0x15, 0, 1, value)
        answer(.refuse(number))
    }

    mutating func allow(_ value: UInt32) {
        emit(0x15, 0, 1, value)
        answer(.allow)
    }

    mutating func refuse(ifAnyBit mask: UInt32) {
        emit(0x45, 0, 1, mask)
        answer(.refuse(.notPermitted))
    }

    /// Runs `body` for one call only; what it does not refuse is allowed.
    mutating func rule(for number: UInt32, _ body: (inout Assembler) -> Void) {
        var inner = Assembler()
        body(&inner)
        inner.answer(.allow)
        emit(0x15, 0, UInt8(inner.bytes.count / 8), number)
        bytes += inner.bytes
    }
}
