/// What a program in a sandbox may use before it is stopped.
package struct SandboxLimits: Sendable, Equatable {
    package var wallTime: Duration
    /// Of all processes together.
    package var memoryInBytes: Int64
    package var processes: Int
    /// Of standard output and standard error together.
    package var outputInBytes: Int64
    /// Of the file that keeps the output while the program runs. What goes beyond is counted and not kept.
    package var logInBytes: Int64 = 64 << 20
    /// Of everything that it can write and that stays on disk.
    package var workspaceInBytes: Int64
    package var workspaceFiles: Int
    package var fileSizeInBytes: Int64
    package var openFiles: Int
    /// Space that stays free on the disk of the workspace.
    package var diskReserveInBytes: Int64

    package init(
        wallTime: Duration = .seconds(600), memoryInBytes: Int64 = 2 << 30, processes: Int = 128,
        outputInBytes: Int64 = 16 << 20, workspaceInBytes: Int64 = 2 << 30, workspaceFiles: Int = 50_000,
        fileSizeInBytes: Int64 = 256 << 20, openFiles: Int = 1024, diskReserveInBytes: Int64 = 64 << 20
    ) {
        self.wallTime = wallTime
        self.memoryInBytes = memoryInBytes
        self.processes = processes
        self.outputInBytes = outputInBytes
        self.workspaceInBytes = workspaceInBytes
        self.workspaceFiles = workspaceFiles
        self.fileSizeInBytes = fileSizeInBytes
        self.openFiles = openFiles
        self.diskReserveInBytes = diskReserveInBytes
    }
}
