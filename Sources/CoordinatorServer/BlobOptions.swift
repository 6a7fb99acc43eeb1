import ArgumentParser

/// What every command takes that looks into the store of blobs.
struct BlobOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the content of all versions is: directory, directory:PATH or s3://bucket/prefix?endpoint=…&region=…. (default: directory)",
            valueName: "address"))
    var blobs: String?
    @Option(
        help: ArgumentHelp(
            "A file with the keys for S3, as Amazon's tools write it; otherwise they come from the environment.",
            valueName: "file"))
    var s3Credentials: String?

    var flags: [Setting: String?] { [.blobs: blobs, .s3Credentials: s3Credentials] }
}
