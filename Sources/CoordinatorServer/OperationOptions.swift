import ArgumentParser

/// What `serve` takes for backups, places and roll-backs.
struct OperationOptions: ParsableArguments {
    @Option(help: "Where backups go: a folder, or s3://bucket/prefix?endpoint=…&region=….")
    var backupTo: String?
    @Option(help: "How often a backup is made, such as 24h; 0 is never. (default: 0)")
    var backupEvery: String?
    @Option(help: "How often the newest backup is restored as a proof, such as 7d; 0 is never. (default: 0)")
    var backupDrillEvery: String?
    @Option(help: "What of the content of versions is in a backup: list or copy. (default: list)")
    var backupBlobs: String?
    @Option(help: "How old a backup becomes. (default: 30d)")
    var backupKeep: String?
    @Option(help: "On how many serving hosts a site is: all, or a number. (default: all)")
    var placementCopies: String?
    @Option(help: "Only hosts with these labels have sites: key=value,key=value.")
    var placementLabels: String?
    @Option(help: "The label whose values the copies of a site shall differ in, such as zone.")
    var placementSpread: String?
    @Flag(help: "The sites of a drained host go elsewhere.")
    var placementLeaveDraining = false
    @Option(help: "How long a host may be away until its sites go elsewhere; 0 is for ever. (default: 0)")
    var placementLostAfter: String?
    @Option(help: "What becomes of a roll-back made on a host: reconcile or respect. (default: reconcile)")
    var rollbackLocal: String?
    @Option(help: "How long /readyz says that this coordinator stops before it does, such as 10s. (default: 0)")
    var shutdownNotice: String?

    var flags: [Setting: String?] {
        [
            .backupTo: backupTo, .backupEvery: backupEvery, .backupDrillEvery: backupDrillEvery,
            .backupBlobs: backupBlobs, .backupKeep: backupKeep, .placementCopies: placementCopies,
            .placementLabels: placementLabels, .placementSpread: placementSpread,
            .placementLeaveDraining: placementLeaveDraining ? "true" : nil, .placementLostAfter: placementLostAfter,
            .rollbackLocal: rollbackLocal, .shutdownNotice: shutdownNotice,
        ]
    }
}
