/// Every store of the main job: what reads and writes the rows of one kind of thing.
package struct Stores: Sendable {
    package let sites = SiteStore()
    package let versions = VersionStore()
    package let fileFacts = FileFactsStore()
    package let condemnedBlobs = CondemnedBlobStore()
    package let releases = ReleaseStore()
    package let edits = EditStore()
    package let jobs = JobStore()
    package let hosts = HostStore()
    package let placements = PlacementStore()
    package let events = EventStore()
    package let settings = SettingStore()
    package let audit = AuditStore()
    package let steward = StewardStore()
    package let brakes = BrakeStore()
    package let installation = InstallationStore()
    package let recoveryFinds = RecoveryFindStore()
    package let rollouts = RolloutStore()
    package let hostWords = HostWordStore()
    package let sitePlacements = SitePlacementStore()
    package let preparedReleases = PreparedReleaseStore()
    package let backups = BackupRunStore()

    package init() {}
}
