package import Domain
import Sandbox

/// Runs the Claude Code CLI. It talks to the model's socket by itself, and goes on with a conversation by resuming its
/// session. Every setting answers a trap; see `docs/engines.md`.
package struct ClaudeEngine: Engine {
    package let name = EngineName.claude
    private let program: String
    /// Asks its model for the steps of a generation; `nil` when this one makes no sites.
    private let generator: ModelEngine?
    private static let programPath = "/opt/engine/claude"
    private static let turnLimit = 60
    static let statePath = "/state"
    /// Where it keeps what it needs to resume a session. Nothing else of its state is: a task could have put settings there.
    package let remembered = ["projects"]
    package let followsTraffic = true

    /// - Parameters:
    ///   - program: the `claude` binary on this host. Model and socket come with each job.
    ///   - generator: what asks for the steps of a generation, each of which is one answer and needs no `claude`.
    package init(program: String, generator: ModelEngine? = nil) {
        self.program = program
        self.generator = generator
    }

    package func makeRun(for task: EngineTask) throws -> EngineRun {
        guard let model = task.model else { throw EngineRefusal.notConfigured(name) }
        guard let folder = task.socketFolder else { throw EngineRefusal.noWay(to: name) }
        if task.generation != nil {
            guard let generator else { throw EngineRefusal.noGenerator(for: name) }
            return try generator.makeRun(for: task, asking: model, at: folder)
        }
        let silence = "\(model.answerTimeout.wholeMilliseconds)"
        // Flags that take several values would take the prompt too: each has its value behind `=`, and the prompt comes
        // on standard input.
        var command = [
            Self.programPath, "-p", "--output-format=stream-json", "--verbose", "--permission-mode=dontAsk",
            "--tools=Read,Edit,Write,Glob,Grep", "--allowedTools=Read(./**),Edit(./**)", "--setting-sources=user",
            "--strict-mcp-config", "--max-turns=\(Self.turnLimit)", "--model=\(model.name)",
            "--append-system-prompt=\(HouseRules.text)",
        ]
        if let memory = task.memory { command.append("--resume=\(memory.handle)") }
        let plan = SandboxPlan(
            workspace: task.workspace, command: command,
            environment: [
                "CLAUDE_CONFIG_DIR": Self.statePath,
                "ANTHROPIC_UNIX_SOCKET": "/run/model/\(SandboxPlan.ModelSocket.name)",
                "ANTHROPIC_BASE_URL": "http://localhost", "ANTHROPIC_API_KEY": ModelDialects.key,
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "2",
                "API_TIMEOUT_MS": silence, "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": silence, "DISABLE_AUTOUPDATER": "1",
            ],
            readOnlyBinds: [.init(program, at: Self.programPath), .init(folder, at: "/run/model")],
            writableBinds: [.init(task.state, at: Self.statePath)], limits: task.limits)
        return EngineRun(plan: plan, input: Array(task.request.utf8))
    }

    package func selfContained(_ traffic: ModelTraffic) -> ModelTraffic { ClaudeReading.added(to: traffic) }

    package func makeTranscript(for task: EngineTask) -> any EngineTranscript {
        if task.generation != nil { return BuiltinTranscript(limits: task.limits) }
        return ClaudeTranscript(limits: task.limits)
    }
}
