package import Sandbox

/// How a page checker runs in a sandbox: the agent's own program, Chromium and fonts of the host, no network.
package enum PageCheckerPlan {
    /// Chromium itself, where Debian puts it; `/usr/bin/chromium` is a script that wants more of the host.
    package static let chromium = "/usr/lib/chromium/chromium"
    /// People wait for edits and nobody for this.
    private static let nice = "/usr/bin/nice"
    package static let programPath = "/opt/engine/pagewright-agent"

    /// - Parameters:
    ///   - agent: this agent's program on the host.
    ///   - libraryFolders: bound at their own place; needed when the program is linked dynamically.
    ///   - state: a folder of the host for the version before and for pictures; it appears at `/state`.
    ///   - isGrouped: whether a control group limits memory. Otherwise it is measured, and what processes of a browser
    ///     share is counted once for each.
    package static func plan(
        agent: String, libraryFolders: [String], workspace: String, state: String, isGrouped: Bool
    ) -> SandboxPlan {
        var plan = SandboxPlan(
            workspace: workspace, command: [nice, "-n", "15", programPath, "page-checker"],
            environment: ["DBUS_SESSION_BUS_ADDRESS": "disabled:", "DBUS_SYSTEM_BUS_ADDRESS": "disabled:"],
            readOnlyBinds: [.init(agent, at: programPath), .init("/etc/fonts", at: "/etc/fonts")]
                + libraryFolders.map { .init($0, at: $0) }, writableBinds: [.init(state, at: "/state")],
            limits: SandboxLimits(
                wallTime: .seconds(120), memoryInBytes: isGrouped ? 1 << 30 : 5 << 29, processes: 512))
        // Chromium keeps its profile and what would be shared memory there.
        plan.temporarySizeInBytes = 256 << 20
        plan.dataSizeInBytes = 768 << 20
        return plan
    }
}
