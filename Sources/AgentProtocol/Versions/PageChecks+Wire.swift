package import Domain
import FoundationEssentials
import SwiftProtobuf

extension PageChecks {
    package init(wire: Pagewright_Agent_V1_ReportChecksRequest) throws(ServiceError) {
        try Field.count(wire.checks, "checks", atMost: Check.Name.allCases.count)
        try Field.count(wire.findings, "findings", atMost: Self.findingLimit)
        try Field.count(wire.pictures, "pictures", atMost: Self.pictureLimit)
        try Field.count(wire.before, "before", atMost: Self.pictureLimit)
        self.init()
        for check in wire.checks {
            checks.append(
                Check(
                    try Field.choice(check.name, "checks.name"),
                    obstacle: try Field.text(check.obstacle, "checks.obstacle", atMost: Self.textLimit)))
        }
        for finding in wire.findings {
            findings.append(
                Finding(
                    severity: finding.isWorse ? .error : .warning,
                    rule: try Field.text(finding.rule, "findings.rule", atMost: TextLimit.name),
                    path: try Field.path(finding.path, "findings.path").text,
                    subject: try Field.text(finding.subject, "findings.subject", atMost: Self.textLimit),
                    message: try Field.text(finding.message, "findings.message", atMost: Self.textLimit)))
        }
        for picture in wire.pictures { pictures.append(try PagePicture(wire: picture)) }
        for picture in wire.before { before.append(try PagePicture(wire: picture)) }
    }

    /// The request that says this of the version that `lease` made. Texts that are too long are shortened.
    package func wire(for lease: JobLease) -> Pagewright_Agent_V1_ReportChecksRequest {
        .with {
            $0.lease = lease.wireReference
            $0.checks = checks.map { check in
                .with {
                    $0.name = check.name.rawValue
                    $0.obstacle = check.obstacle.clipped(to: Self.textLimit)
                }
            }
            $0.findings = findings.prefix(Self.findingLimit).map { finding in
                .with {
                    $0.rule = finding.rule
                    $0.path = finding.path
                    $0.subject = finding.subject.clipped(to: Self.textLimit)
                    $0.message = finding.message.clipped(to: Self.textLimit)
                    $0.isWorse = finding.severity == .error
                }
            }
            $0.pictures = pictures.prefix(Self.pictureLimit).map(\.wire)
            $0.before = before.prefix(Self.pictureLimit).map(\.wire)
        }
    }
}

extension PagePicture {
    fileprivate init(wire: Pagewright_Agent_V1_PagePicture) throws(ServiceError) {
        try Field.count(wire.changes, "pictures.changes", atMost: Self.boxLimit)
        func side(_ value: Int32, _ field: String, from lowest: Int64 = 1) throws(ServiceError) -> Int {
            try Field.integer(Int64(value), "pictures.\(field)", in: lowest...10_000)
        }
        var changes: [Box] = []
        for box in wire.changes {
            changes.append(
                Box(
                    x: try side(box.x, "changes.x", from: 0), y: try side(box.y, "changes.y", from: 0),
                    width: try side(box.width, "changes.width"), height: try side(box.height, "changes.height")))
        }
        self.init(
            page: try Field.path(wire.path, "pictures.path"), kind: try Field.choice(wire.kind, "pictures.kind"),
            width: try side(wire.width, "width"), height: try side(wire.height, "height"),
            format: try Field.choice(wire.format, "pictures.format"),
            digest: try Field.digest(wire.digest, "pictures.digest"),
            sizeInBytes: Int64(try Field.integer(wire.sizeBytes, "pictures.size_bytes", in: 1...Self.sizeLimit)),
            changes: wire.isCompared ? changes : nil)
    }

    fileprivate var wire: Pagewright_Agent_V1_PagePicture {
        .with {
            $0.path = page.text
            $0.kind = kind.rawValue
            $0.width = Int32(clamping: width)
            $0.height = Int32(clamping: height)
            $0.format = format.rawValue
            $0.digest = Data(digest.bytes)
            $0.sizeBytes = sizeInBytes
            $0.isCompared = changes != nil
            $0.changes = (changes ?? []).prefix(Self.boxLimit).map { box in
                .with {
                    $0.x = Int32(clamping: box.x)
                    $0.y = Int32(clamping: box.y)
                    $0.width = Int32(clamping: box.width)
                    $0.height = Int32(clamping: box.height)
                }
            }
        }
    }
}
