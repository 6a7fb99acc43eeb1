import Glibc

/// The programs that a sandbox is made of, found on this host.
package struct SandboxTools: Sendable, Equatable {
    package let bubblewrap: String
    /// Only a plan with a model's socket needs it.
    package let bridge: String?
    /// `pagewright-shim`, which owns a task.
    package let shim: String

    package init(bubblewrap: String, bridge: String? = nil, shim: String = besideThisProgram) {
        self.bubblewrap = bubblewrap
        self.bridge = bridge
        self.shim = shim
    }

    private static let shimName = "pagewright-shim"

    /// Where the shim is installed together with this program.
    package static var besideThisProgram: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let program = String(decoding: buffer.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = program.lastIndex(of: "/").map { program[..<$0] } ?? ""
        return "\(folder)/\(shimName)"
    }

    /// Looks where distributions put them. There is no way to run a task without a sandbox.
    package static func locate() throws(SandboxError) -> SandboxTools {
        guard let bubblewrap = find("bwrap") else {
            throw .missingProgram("bwrap", nextStep: "Install the package \"bubblewrap\".")
        }
        guard access(SandboxPlan.limiter, X_OK) == 0 else {
            throw .missingProgram("prlimit", nextStep: "Install the package \"util-linux\".")
        }
        let places = [besideThisProgram, "/usr/lib/pagewright/" + shimName, "/usr/bin/" + shimName]
        guard let shim = places.first(where: { access($0, X_OK) == 0 }) else {
            throw .missingProgram(shimName, nextStep: "Put it beside pagewright-agent; it is built together with it.")
        }
        return SandboxTools(bubblewrap: bubblewrap, bridge: find("socat"), shim: shim)
    }

    private static func find(_ name: String) -> String? {
        ["/usr/bin/", "/usr/local/bin/", "/bin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
    }
}
