import Testing

@testable import Sandbox

@Suite struct SandboxPlanTests {
    private let plan = SandboxPlan(
        workspace: "/jobs/1/site", command: ["/opt/engine/editor", "run"], environment: ["MODEL_KEY": "dummy"],
        readOnlyBinds: [.init("/opt/editor", at: "/opt/engine/editor")],
        writableBinds: [.init("/jobs/1/state", at: "/state")])

    @Test("Every layer of the sandbox is among the arguments")
    func layers() {
        let arguments = plan.arguments(limitsAddressSpace: false)
        for flag in [
            "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv",
            "--seccomp", "--json-status-fd", "--block-fd",
        ] { #expect(arguments.contains(flag), "\(flag)") }
        #expect(!arguments.contains("--share-net"))
        let text = arguments.joined(separator: " ")
        #expect(text.contains("--ro-bind /usr /usr"))
        #expect(text.contains("--bind /jobs/1/site /site --chdir /site"))
        #expect(text.contains("--bind /jobs/1/state /state"))
        #expect(text.contains("--ro-bind /opt/editor /opt/engine/editor"))
        #expect(text.contains("--setenv MODEL_KEY dummy"))
        #expect(text.contains("--remount-ro / -- /usr/bin/prlimit"))
        #expect(text.hasSuffix("--core=0 -- /opt/engine/editor run"))
    }

    @Test("The address space is limited only where no control group limits memory")
    func addressSpace() {
        #expect(plan.arguments(limitsAddressSpace: true).contains("--as=\(2 << 30)"))
        #expect(!plan.arguments(limitsAddressSpace: false).contains { $0.hasPrefix("--as=") })
    }

    @Test("A program that reserves more addresses than it uses has its data limited instead")
    func data() {
        var plan = plan
        plan.dataSizeInBytes = 768 << 20
        let arguments = plan.arguments(limitsAddressSpace: true)
        #expect(arguments.contains("--data=\(768 << 20)") && !arguments.contains { $0.hasPrefix("--as=") })
        #expect(!plan.arguments(limitsAddressSpace: false).contains { $0.hasPrefix("--data=") })
    }

    @Test("A model's socket brings its folder, read-only, and the bridge before the command")
    func bridge() {
        var plan = plan
        plan.modelSocket = .init(folder: "/run/models")
        let text = plan.arguments(limitsAddressSpace: false).joined(separator: " ")
        #expect(text.contains("--ro-bind /run/models /run/model"))
        #expect(text.contains("TCP-LISTEN:8399,bind=127.0.0.1"))
        #expect(text.contains(":20CF 00000000:0000 0A"))
        #expect(text.hasSuffix("sh /opt/engine/editor run"))
    }

    @Test("Nothing of our own environment is handed on")
    func environment() {
        let arguments = plan.arguments(limitsAddressSpace: false)
        let names = arguments.indices.filter { arguments[$0] == "--setenv" }.map { arguments[$0 + 1] }
        #expect(names == ["HOME", "LANG", "MODEL_KEY", "PATH", "TERM", "TMPDIR"])
    }
}

@Suite struct SeccompFilterTests {
    @Test(
        "A filter is a whole number of instructions and ends with allow", arguments: SeccompFilter.Architecture.allCases
    )
    func shape(architecture: SeccompFilter.Architecture) {
        let program = SeccompFilter.program(for: architecture)
        #expect(program.count.isMultiple(of: 8))
        #expect(program.count / 8 < 4096)
        #expect(Array(program.suffix(8)) == [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f])
    }

    /// Runs the filter as the kernel would, so that both processors' filters are tested on either.
    private func answer(_ architecture: SeccompFilter.Architecture, _ number: UInt32, _ arguments: [UInt64] = [])
        -> UInt32
    {
        let program = SeccompFilter.program(for: architecture)
        var data = [UInt8]()
        func append(_ value: UInt64, _ count: Int) {
            for index in 0..<count { data.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        append(UInt64(number), 4)
        append(architecture == .x86_64 ? 0xC000_003E : 0xC000_00B7, 4)
        append(0, 8)
        for index in 0..<6 { append(index < arguments.count ? arguments[index] : 0, 8) }
        var position = 0
        var accumulator: UInt32 = 0
        func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
        }
        while true {
            let at = position * 8
            let value = word(program, at + 4)
            position += 1
            func jump(_ condition: Bool) { position += Int(program[at + (condition ? 2 : 3)]) }
            switch program[at] {
            case 0x20: accumulator = word(data, Int(value))
            case 0x06: return value
            case 0x15: jump(accumulator == value)
            case 0x35: jump(accumulator >= value)
            case 0x45: jump(accumulator & value != 0)
            default: Issue.record("unknown instruction"); return 0
            }
        }
    }

    private let allow: UInt32 = 0x7fff_0000

    @Test("Ordinary calls pass and dangerous ones do not, on x86-64")
    func x86() {
        for number: UInt32 in [0, 1, 59, 57, 257] { #expect(answer(.x86_64, number) == allow) }
        for number: UInt32 in [165, 272, 308, 321, 425, 250, 101, 298, 323, 155] {
            #expect(answer(.x86_64, number) == 0x50001)
        }
        #expect(answer(.x86_64, 0x4000_0000 + 1) == 0x50026)
        #expect(answer(.x86_64, 435) == 0x50026)
        #expect(answer(.x86_64, 56, [0x1200011]) == allow)
        #expect(answer(.x86_64, 56, [0x1000_0000]) == 0x50001)
        #expect(answer(.x86_64, 16, [0, 0x5412]) == 0x50001)
        #expect(answer(.x86_64, 16, [0, 0x1_0000_5412]) == 0x50001)
        #expect(answer(.x86_64, 16, [0, 0x5413]) == allow)
        #expect(answer(.x86_64, 41, [2]) == allow)
        #expect(answer(.x86_64, 41, [40]) == 0x50061)
    }

    @Test("Ordinary calls pass and dangerous ones do not, on AArch64")
    func arm() {
        for number: UInt32 in [63, 64, 221, 56] { #expect(answer(.aarch64, number) == allow) }
        for number: UInt32 in [40, 97, 268, 280, 425, 219, 117, 241, 282, 41] {
            #expect(answer(.aarch64, number) == 0x50001)
        }
        #expect(answer(.aarch64, 220, [0x1000_0000]) == 0x50001)
        #expect(answer(.aarch64, 29, [0, 0x5412]) == 0x50001)
        #expect(answer(.aarch64, 198, [40]) == 0x50061)
    }
}
