import Domain
import Sandbox

/// The settings of one Codex run as text. Every line answers a trap; see `docs/engines.md`.
package enum CodexConfiguration {
    /// Where Codex finds its settings and keeps its state, inside the sandbox.
    static let homePath = "/state"
    /// The only key that is ever inside. Whatever answers on the model's socket adds the real one.
    static let key = "dummy"

    /// - Parameter silence: how long a stream may be silent; `nil` is two minutes.
    package static func text(model: String, port: Int, silence: Duration? = nil) -> String {
        """
        model = "\(model)"
        model_provider = "house"
        sandbox_mode = "danger-full-access"
        approval_policy = "never"
        check_for_update_on_startup = false
        cli_auth_credentials_store = "file"
        web_search = "disabled"
        project_doc_max_bytes = 0

        [analytics]
        enabled = false
        [feedback]
        enabled = false
        [otel]
        exporter = "none"
        metrics_exporter = "none"
        trace_exporter = "none"

        [features]
        plugins = false
        remote_plugin = false
        apps = false
        multi_agent = false
        goals = false
        image_generation = false
        tool_suggest = false
        shell_snapshot = false

        [shell_environment_policy]
        inherit = "core"

        [model_providers.house]
        name = "house"
        base_url = "http://127.0.0.1:\(port)/v1"
        wire_api = "responses"
        env_key = "MODEL_KEY"
        request_max_retries = 2
        stream_max_retries = 2
        stream_idle_timeout_ms = \((silence ?? .seconds(120)).wholeMilliseconds)

        [projects."\(SandboxPlan.workspacePath)"]
        trust_level = "untrusted"

        """
    }
}
