package import Domain
import Sandbox

/// Runs the Codex CLI. It reaches its model through a socket that is bound into the sandbox, and nothing else. It goes on
/// with a conversation by resuming its thread.
package struct CodexEngine: Engine {
    package let name = EngineName.codex
    private let program: String
    /// What this worker's operator chose; what comes with a job goes before.
    private let ownSocketFolder: String?
    private let ownModel: String?
    /// Asks its model for the steps of a generation; `nil` when this one makes no sites.
    private let generator: ModelEngine?
    private static let programPath = "/opt/engine/codex"
    /// Where it keeps what it needs to resume a thread.
    package let remembered = ["sessions"]
    package let followsTraffic = true
    package let runsCommands = true

    /// - Parameters:
    ///   - program: the `codex` binary on this host. Model and socket come with each job.
    ///   - generator: what asks for the steps of a generation, each of which is one answer and needs no `codex`.
    package init(program: String, generator: ModelEngine? = nil) {
        self.program = program
        self.generator = generator
        ownSocketFolder = nil
        ownModel = nil
    }

    /// - Parameters:
    ///   - program: the `codex` binary on this host.
    ///   - socket: the model's Unix socket; its name must be `model.sock`. What answers there adds the real key.
    ///   - model: a name of Codex's own catalogue: with another one it is offered no tool to change files.
    package init(
        program: String, socket: String, model: String, generator: ModelEngine? = nil
    ) throws(ServiceError) {
        guard let slash = socket.lastIndex(of: "/"), slash != socket.startIndex,
            socket[socket.index(after: slash)...] == SandboxPlan.ModelSocket.name
        else {
            throw ServiceError(
                .invalidArgument, "the model's socket \"\(socket)\" is not named \(SandboxPlan.ModelSocket.name)",
                field: "model-socket",
                nextStep: "Give it in a folder of its own, such as /run/pagewright-model/model.sock.")
        }
        self.program = program
        self.generator = generator
        ownSocketFolder = String(socket[..<slash])
        ownModel = try ModelAccess.checkedModel(model, field: "model")
    }

    package func makeRun(for task: EngineTask) throws -> EngineRun {
        guard let model = model(for: task) else { throw EngineRefusal.notConfigured(name) }
        guard let folder = task.socketFolder ?? ownSocketFolder else { throw EngineRefusal.noWay(to: name) }
        if task.generation != nil {
            guard let generator else { throw EngineRefusal.noGenerator(for: name) }
            let asked = task.model ?? EngineModel(provider: .openAIResponses, name: model)
            return try generator.makeRun(for: task, asking: asked, at: folder)
        }
        let socket = SandboxPlan.ModelSocket(folder: folder)
        try EngineState.write(
            CodexConfiguration.text(model: model, port: socket.port, silence: task.model?.answerTimeout),
            to: task.state + "/config.toml")
        try EngineState.write(HouseRules.text, to: task.state + "/AGENTS.md")
        var command = [
            Self.programPath, "exec", "--json", "--strict-config", "--skip-git-repo-check",
            "-o", CodexConfiguration.homePath + "/last.txt",
        ]
        // The sandbox mode stands in the settings: here it would have to be said again for a resumed thread.
        if let memory = task.memory { command += ["resume", memory.handle] }
        let plan = SandboxPlan(
            workspace: task.workspace, command: command + ["-"],
            environment: ["CODEX_HOME": CodexConfiguration.homePath, "MODEL_KEY": CodexConfiguration.key],
            readOnlyBinds: [.init(program, at: Self.programPath)],
            writableBinds: [.init(task.state, at: CodexConfiguration.homePath)],
            modelSocket: socket, limits: task.limits)
        return EngineRun(plan: plan, input: Array(task.request.utf8))
    }

    package func makeTranscript(for task: EngineTask) -> any EngineTranscript {
        if task.generation != nil { return BuiltinTranscript(limits: task.limits) }
        return CodexTranscript(
            limits: task.limits, model: model(for: task) ?? "", state: task.state, memory: task.memory)
    }

    private func model(for task: EngineTask) -> String? { task.model?.name ?? ownModel }
}
