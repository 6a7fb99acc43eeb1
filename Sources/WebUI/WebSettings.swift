/// What the pages need to know of the installation.
package struct WebSettings: Sendable {
    /// Where uploads lie while they are worked on.
    package var uploadFolder: String
    package var uploadLimitInBytes: Int64
    /// Which engines the studio offers; the first is the one that is used when nobody chooses.
    package var engines: [String]

    package init(
        uploadFolder: String, uploadLimitInBytes: Int64 = 1 << 30, engines: [String] = ["builtin", "codex"]
    ) {
        self.uploadFolder = uploadFolder
        self.uploadLimitInBytes = uploadLimitInBytes
        self.engines = engines
    }
}
