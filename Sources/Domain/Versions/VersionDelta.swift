/// How two versions differ in weight and in what the checks say.
package struct VersionDelta: Sendable, Equatable {
    package let bytesBefore: Int64
    package let bytesAfter: Int64
    package let filesBefore: Int
    package let filesAfter: Int
    /// Findings that only the newer one has.
    package let appeared: [Finding]
    /// Findings that only the older one has.
    package let vanished: [Finding]

    package init(from base: Version, to target: Version) {
        bytesBefore = base.totalSizeInBytes
        bytesAfter = target.totalSizeInBytes
        filesBefore = base.files
        filesAfter = target.files
        let old = Set(base.findings.map(\.key))
        let new = Set(target.findings.map(\.key))
        appeared = target.findings.filter { !old.contains($0.key) }
        vanished = base.findings.filter { !new.contains($0.key) }
    }
}
