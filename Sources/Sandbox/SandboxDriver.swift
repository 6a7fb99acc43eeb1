/// What builds the walls of a plan: the place where a user-space kernel or a microVM can stand instead of bubblewrap.
/// Everything else stays as it is: the shim owns the process, limits it, keeps its output and ends it.
///
/// The program is started by the shim. It has to run ``SandboxPlan/command`` behind every wall that the plan asks for, or not
/// at all; write one line of JSON with `child-pid` to descriptor 3 and one with `exit-code` at the end; begin the command
/// only when a byte came on descriptor 4; and take nothing along when it ends.
package protocol SandboxDriver: Sendable {
    /// The path of the program.
    var program: String { get }

    /// - Parameter limitsAddressSpace: whether memory is limited for each process, because no control group can.
    func arguments(for plan: SandboxPlan, limitsAddressSpace: Bool) -> [String]

    /// What the program reads from descriptor 5 on, each to its end.
    var files: [[UInt8]] { get }
}

/// Namespaces and a filter of system calls, by `bwrap`.
package struct Bubblewrap: SandboxDriver {
    package let program: String

    package init(program: String) { self.program = program }

    package func arguments(for plan: SandboxPlan, limitsAddressSpace: Bool) -> [String] {
        plan.arguments(limitsAddressSpace: limitsAddressSpace)
    }

    package var files: [[UInt8]] { [SeccompFilter.program()] + SandboxPlan.files.map { Array($0.text.utf8) } }
}
