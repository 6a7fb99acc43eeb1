package import Domain
import Glibc
import Sandbox

/// Runs the Codex CLI. It reaches its model through a socket that is bound into the sandbox, and nothing else.
package struct CodexEngine: Engine {
    package let name = EngineName.codex
    private let program: String
    private let socketFolder: String
    private let model: String
    private static let programPath = "/opt/engine/codex"

    /// - Parameters:
    ///   - program: the `codex` binary on this host.
    ///   - socket: the model's Unix socket; its name must be `model.sock`. What answers there adds the real key.
    ///   - model: a name of Codex's own catalogue: with another one it is offered no tool to change files.
    package init(program: String, socket: String, model: String) throws(ServiceError) {
        guard let slash = socket.lastIndex(of: "/"), slash != socket.startIndex,
            socket[socket.index(after: slash)...] == SandboxPlan.ModelSocket.name
        else {
            throw ServiceError(
                .invalidArgument, "the model's socket \"\(socket)\" is not named \(SandboxPlan.ModelSocket.name)",
                field: "model-socket",
                nextStep: "Give it in a folder of its own, such as /run/pagewright-model/model.sock.")
        }
        guard !model.isEmpty, model.utf8.allSatisfy({ Self.isModelByte($0) }) else {
            throw ServiceError(.invalidArgument, "\"\(model)\" cannot be the name of a model", field: "model")
        }
        self.program = program
        self.socketFolder = String(socket[..<slash])
        self.model = model
    }

    private static func isModelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x2f, 0x3a, 0x5f: true
        default: false
        }
    }

    package func makeRun(for task: EngineTask) throws -> EngineRun {
        let socket = SandboxPlan.ModelSocket(folder: socketFolder)
        try Self.write(CodexConfiguration.text(model: model, port: socket.port), to: task.state + "/config.toml")
        try Self.write(CodexConfiguration.instructions, to: task.state + "/AGENTS.md")
        let plan = SandboxPlan(
            workspace: task.workspace,
            command: [
                Self.programPath, "exec", "--json", "--strict-config", "--skip-git-repo-check",
                "-o", CodexConfiguration.homePath + "/last.txt", "-",
            ],
            environment: ["CODEX_HOME": CodexConfiguration.homePath, "MODEL_KEY": CodexConfiguration.key],
            readOnlyBinds: [.init(program, at: Self.programPath)],
            writableBinds: [.init(task.state, at: CodexConfiguration.homePath)],
            modelSocket: socket, limits: task.limits)
        return EngineRun(plan: plan, input: Array(task.prompt.utf8))
    }

    package func makeTranscript(for task: EngineTask) -> any EngineTranscript {
        CodexTranscript(limits: task.limits, model: model, state: task.state)
    }

    private static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemFailure("open", errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw SystemFailure("write", errno) }
    }
}
