import Glibc

/// The programs that a sandbox is made of, found on this host.
package struct SandboxTools: Sendable, Equatable {
    package let bubblewrap: String
    /// Only a plan with a model's socket needs it.
    package let bridge: String?

    package init(bubblewrap: String, bridge: String? = nil) {
        self.bubblewrap = bubblewrap
        self.bridge = bridge
    }

    /// Looks where distributions put them. There is no way to run a task without a sandbox.
    package static func locate() throws(SandboxError) -> SandboxTools {
        guard let bubblewrap = find("bwrap") else {
            throw .missingProgram("bwrap", nextStep: "Install the package \"bubblewrap\".")
        }
        guard access(SandboxPlan.limiter, X_OK) == 0 else {
            throw .missingProgram("prlimit", nextStep: "Install the package \"util-linux\".")
        }
        return SandboxTools(bubblewrap: bubblewrap, bridge: find("socat"))
    }

    private static func find(_ name: String) -> String? {
        ["/usr/bin/", "/usr/local/bin/", "/bin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
    }
}
