/// How nginx is to be run.
package struct NginxSettings: Sendable {
    /// Whose process nginx is.
    package enum Mode: Sendable, Equatable {
        /// A child of the agent, which ends with it.
        case child
        /// An nginx that somebody else runs: the agent writes one file that its configuration includes within
        /// `http { }`, and tells it to reload. It goes on serving when the agent stops. `configuration` is its main
        /// file; `nil` is the one that the program was built with.
        case system(include: String, pidFile: String, configuration: String? = nil)
    }

    package var mode: Mode
    /// The program; `nil` looks where distributions put it.
    package var executable: String?
    /// The folder for nginx's own files; made when it is not there.
    package var directory: String
    /// The host farm and what it leads to; see ``NginxConfiguration/domains``.
    package var domains: String
    package var listen: [NginxListenAddress]
    package var workers: Int
    /// See ``NginxConfiguration/visitorRate``.
    package var visitorRate: Int

    package init(
        mode: Mode = .child, executable: String? = nil, directory: String, domains: String,
        listen: [NginxListenAddress], workers: Int = 2, visitorRate: Int = 0
    ) {
        precondition(!listen.isEmpty, "nginx needs an address")
        self.mode = mode
        self.executable = executable
        self.directory = directory
        self.domains = domains
        self.listen = listen
        self.workers = workers
        self.visitorRate = visitorRate
    }
}
