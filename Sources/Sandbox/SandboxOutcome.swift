/// How a program in a sandbox ended. Whatever the ending: when there is an outcome, no process of it is left.
package struct SandboxOutcome: Sendable, Equatable {
    package enum Ending: Sendable, Equatable {
        /// By itself; 128 and more is a signal, as in a shell.
        case exited(code: Int)
        /// It was killed because it used too much.
        case exceeded(Limit)
        /// It was killed because the task was cancelled, or because nobody wanted it any longer.
        case cancelled
    }

    package enum Limit: String, Sendable, CaseIterable {
        case wallTime, memory, processes, output, workspaceSize, workspaceFiles
        /// The disk of the workspace is nearly full; that may be nobody's fault.
        case diskFull
    }

    /// What the program cost.
    package struct Use: Sendable, Equatable {
        package let wallTime: Duration
        /// Of all its processes.
        package let processorTime: Duration
        /// With a control group, of all at once; without, of the largest process, or of all when they were too many.
        package let peakMemoryInBytes: Int64
        /// From the decision to end it until all of it was gone; zero when it ended by itself.
        package let killTime: Duration
    }

    package let ending: Ending
    /// The last 16 KiB of standard error.
    package let diagnostics: String
    /// How much it printed in all.
    package let outputInBytes: Int64
    /// `nil` when nobody measured.
    package let use: Use?

    package init(ending: Ending, diagnostics: String = "", outputInBytes: Int64 = 0, use: Use? = nil) {
        self.ending = ending
        self.diagnostics = diagnostics
        self.outputInBytes = outputInBytes
        self.use = use
    }
}

/// What a program prints while it runs, a line at a time.
package enum SandboxOutput: Sendable, Equatable {
    /// A line of standard output, without its end. One over a megabyte comes without its rest.
    case line(String)
    /// A line of standard error.
    case diagnostic(String)
}
