/// What the pages need to know of the installation.
package struct WebSettings: Sendable {
    /// Where uploads lie while they are worked on.
    package var uploadFolder: String
    package var uploadLimitInBytes: Int64
    /// Which engines the studio offers; the first is the one that is used when nobody chooses.
    package var engines: [String]
    /// What the installation allows, for admins to read: a sentence and its value each.
    package var limits: [(name: String, value: String)]
    /// The version of the program.
    package var version: String

    package init(
        uploadFolder: String, uploadLimitInBytes: Int64 = 1 << 30, engines: [String] = ["builtin", "codex"],
        limits: [(name: String, value: String)] = [], version: String = "0.1.0"
    ) {
        self.uploadFolder = uploadFolder
        self.uploadLimitInBytes = uploadLimitInBytes
        self.engines = engines
        self.limits = limits
        self.version = version
    }
}
