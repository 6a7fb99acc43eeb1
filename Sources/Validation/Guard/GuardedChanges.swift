import Domain
import Markup

/// One review under way: what the changed files lost and gained.
struct GuardedChanges {
    private struct Loss {
        let path: SitePath
        let item: OutlineItem
        /// Of a link: the file that it led to.
        let destination: String?
        /// The headings that it stands under, the outermost first; a heading stands under itself.
        let sections: [String]
    }

    private let request: RequestWords
    private let budget: WeightBudget
    private let manifest: Manifest
    private let parent: Manifest
    private let newIndex: SiteIndex
    private let oldIndex: SiteIndex
    private let removedPages: Set<String>
    private let hasPageChanges: Bool

    /// Whether a page that changed by a small piece can be judged by that piece: what pages load has not become heavier.
    let mayChangeByPieces: Bool
    /// What new pages are modelled on.
    var homeBefore: FileSurvey?
    private var losses: [Loss] = []
    private var lostPages: [(path: SitePath, names: [String])] = []
    private var gained: Set<OutlineItem.Identity> = []
    /// Of each kind, what there was on changed pages: for telling whether the request names one of them.
    private var known: [RequestWords.Thing: [[String]]] = [:]
    private var linkTexts: [String: Set<String>] = [:]
    private var consequences: Set<SitePath> = []
    private var newOrigins: [(path: SitePath, origin: String)] = []
    private var secretsBefore: Set<SecretFind> = []
    private var secretsAfter: [(path: SitePath, secret: SecretFind)] = []
    private var altsBefore: Set<String> = []
    private var altsAfter: [(path: SitePath, image: String)] = []
    private var noted: [Finding] = []

    init(
        request: RequestWords, budget: WeightBudget, manifest: Manifest, parent: Manifest, delta: ManifestDelta
    ) {
        self.request = request
        self.budget = budget
        self.manifest = manifest
        self.parent = parent
        newIndex = SiteIndex(manifest)
        oldIndex = SiteIndex(parent)
        removedPages = Set(delta.removals.filter(\.isHTML).map(\.text))
        mayChangeByPieces = delta.upserts.allSatisfy { entry in
            FileKind(of: entry.path) == .page || entry.sizeInBytes <= parent.entry(at: entry.path)?.sizeInBytes ?? 0
        }
        hasPageChanges =
            !removedPages.isEmpty || delta.upserts.contains { $0.path.isHTML && parent.entry(at: $0.path) == nil }
    }

    /// Takes one changed file. `before` is `nil` when it is new, `after` when it is gone.
    mutating func note(_ path: SitePath, before: FileSurvey?, after: FileSurvey?) {
        if let before {
            secretsBefore.formUnion(before.secrets)
            altsBefore.formUnion(before.imagesWithoutAlternative)
            for link in before.outline where link.kind == .link {
                if let file = file(of: link.target, in: path, oldIndex) {
                    linkTexts[file, default: []].insert(link.text)
                }
            }
        }
        noteWeight(of: path, before: before, after: after)
        guard manifest.entry(at: path) != nil else {
            if path.isHTML { noteLostPage(path, before) }
            return
        }
        guard let after else { return }
        noteFence(path, before: before, after: after)
        notePlaceholders(path, before: before, after: after)
        guard FileKind(of: path) == .page else { return }
        noteQuality(path, before: before, after: after)
        if let before {
            noteLosses(path, before: before, after: after)
        } else {
            gained.formUnion(after.outline.map(\.identity))
        }
    }

    // MARK: Small pieces

    /// Whether a page was settled by a piece that came or went elsewhere than with a page that went.
    private var hasGrownPages = false

    /// Takes a page that changed by one small piece. Returns whether that was all there is to know of it: what came can
    /// harm nobody, and of what went every link led to a page that is gone too.
    mutating func settle(_ change: PieceChange, on path: SitePath) -> Bool {
        let items = change.piece.outline
        guard change.isHarmless, items.allSatisfy({ $0.kind == .link || $0.kind == .text }) else { return false }
        if change.hasCome {
            hasGrownPages = true
        } else {
            // Of a piece without any words it is what joins that matters.
            guard !items.isEmpty else { return false }
            for item in items {
                guard item.kind == .link, let file = file(of: item.target, in: path, oldIndex),
                    removedPages.contains(file)
                else { return false }
                linkTexts[file, default: []].insert(item.text)
            }
        }
        if hasPageChanges { consequences.insert(path) }
        return true
    }

    /// Whether what is known by now leaves questions that only the pages can answer that were settled by a piece.
    var needsEveryPage: Bool {
        // Links to pages that are gone are nobody's loss.
        losses.contains { loss in loss.destination.map { !removedPages.contains($0) } ?? true }
            || !secretsAfter.isEmpty || !altsAfter.isEmpty || hasGrownPages && !lostPages.isEmpty
    }

    // MARK: Nothing lost

    private mutating func noteLostPage(_ path: SitePath, _ before: FileSurvey?) {
        let stem = path.text.split(separator: ".").dropLast().joined(separator: ".")
        let names =
            [stem, path.name] + (before?.outline ?? []).filter { $0.kind == .title || $0.level == 1 }.map(\.text)
        lostPages.append((path, names))
    }

    private mutating func noteLosses(_ path: SitePath, before: FileSurvey, after: FileSurvey) {
        // What was pushed off the end of an outline that is cut is not lost: of such a page nothing can be said.
        guard after.outline.count < PageOutline.itemLimit else { return }
        for item in before.outline {
            if let thing = item.thing { known[thing, default: []].append(item.names) }
        }
        let entries = OutlineDiff(from: before.outline, to: after.outline).entries
        if hasPageChanges, entries.allSatisfy({ $0.item.kind == .link || $0.item.kind == .text }) {
            consequences.insert(path)
        }
        // A comparison looks at so many items only; what is behind them is not gone.
        let isPartial = max(before.outline.count, after.outline.count) > OutlineDiff.itemLimit
        let present = isPartial ? Set(after.outline.map(\.identity)) : []
        let sections = Self.sections(of: before.outline)
        var remaining: Set<String> = []
        for item in after.outline where item.kind == .text || item.kind == .link { remaining.insert(item.text) }
        for entry in entries {
            if let item = entry.after, entry.change == .added || entry.change == .changed {
                gained.insert(item.identity)
            }
            guard let item = entry.before, entry.change == .removed, !present.contains(item.identity) else { continue }
            switch item.kind {
            case .heading where !remaining.contains(item.text), .image, .form, .script, .frame:
                losses.append(
                    Loss(path: path, item: item, destination: nil, sections: sections[item.identity] ?? []))
            case .heading, .title, .description, .text, .link: break
            }
        }
        noteLostLinks(path, before, after, sections)
        noteLostTexts(path, entries, before, after, sections)
    }

    /// Under which headings each thing stands. The headline of the page is a section only where there is no other.
    private static func sections(of items: [OutlineItem]) -> [OutlineItem.Identity: [String]] {
        var open: [OutlineItem] = []
        var sections: [OutlineItem.Identity: [String]] = [:]
        for item in items {
            if item.kind == .heading {
                open.removeAll { $0.level >= item.level }
                open.append(item)
            }
            guard sections[item.identity] == nil else { continue }
            sections[item.identity] = open.filter { $0.level > 1 || open.count == 1 }.map(\.text)
        }
        return sections
    }

    /// A link is gone when nothing on the page leads there any more, and nothing with its words leads anywhere.
    private mutating func noteLostLinks(
        _ path: SitePath, _ before: FileSurvey, _ after: FileSurvey, _ sections: [OutlineItem.Identity: [String]]
    ) {
        var targets: Set<String> = []
        var texts: Set<String> = []
        for link in after.outline where link.kind == .link {
            targets.insert(destination(of: link.target, in: path, newIndex))
            texts.insert(link.text)
        }
        var seen: Set<String> = []
        for link in before.outline where link.kind == .link && !link.target.isEmpty && link.target != "#" {
            let target = destination(of: link.target, in: path, oldIndex)
            guard !targets.contains(target), link.text.isEmpty || !texts.contains(link.text),
                seen.insert(target).inserted
            else { continue }
            losses.append(
                Loss(
                    path: path, item: link, destination: file(of: link.target, in: path, oldIndex),
                    sections: sections[link.identity] ?? []))
        }
    }

    /// A large text is gone when the page has become shorter by much of it and most of its words are nowhere on the page.
    private mutating func noteLostTexts(
        _ path: SitePath, _ entries: [OutlineDiff.Entry], _ before: FileSurvey, _ after: FileSurvey,
        _ sections: [OutlineItem.Identity: [String]]
    ) {
        func length(_ survey: FileSurvey) -> Int {
            survey.outline.reduce(0) { $0 + ($1.kind == .text ? $1.text.count : 0) }
        }
        let large = entries.compactMap { entry -> OutlineItem? in
            guard let item = entry.before, item.kind == .text, entry.change == .removed || entry.change == .changed,
                item.text.count >= Self.largeText
            else { return nil }
            return item
        }
        guard !large.isEmpty else { return }
        let shrunk = length(before) - length(after)
        let words = after.words
        for item in large where shrunk * 2 >= item.text.count && WordSet(item.text).share(in: words) < 0.6 {
            losses.append(Loss(path: path, item: item, destination: nil, sections: sections[item.identity] ?? []))
        }
    }

    /// From how many characters on a text is a large one.
    static let largeText = 160

    /// The same for every way of writing an address.
    private func destination(of address: String, in path: SitePath, _ index: SiteIndex) -> String {
        guard case .inside(let target, let fragment) = SiteAddress(address, in: path.text) else {
            return address.lowercased()
        }
        return (index.file(for: target) ?? target) + (fragment.map { "#\($0)" } ?? "")
    }

    private func file(of address: String, in path: SitePath, _ index: SiteIndex) -> String? {
        guard case .inside(let target, _) = SiteAddress(address, in: path.text) else { return nil }
        return index.file(for: target)
    }

    /// Whether a page changed only as its links follow pages that came or went.
    func follows(_ path: SitePath) -> Bool { consequences.contains(path) }

    // MARK: Injection fence

    private mutating func noteFence(_ path: SitePath, before: FileSurvey?, after: FileSurvey) {
        let model = before ?? (FileKind(of: path) == .page ? homeBefore : nil)
        for origin in after.origins.subtracting(before?.origins ?? []).subtracting(homeBefore?.origins ?? []).sorted() {
            newOrigins.append((path, origin))
        }
        for host in after.formHosts.subtracting(before?.formHosts ?? []).subtracting(homeBefore?.formHosts ?? [])
            .sorted()
        {
            let finding = GuardRule.formForeign.finding(
                at: path.text, subject: host,
                "A form on \"\(path)\" sends what visitors type to \"\(host)\", which is not this site.", after: host)
            noted.append(isNamed(host) ? finding.asWarning : finding)
        }
        for danger in ScriptDanger.allCases {
            let count = after.dangers[danger, default: 0]
            let old = model?.dangers[danger, default: 0] ?? 0
            guard count > old else { continue }
            noted.append(
                GuardRule.scriptDangerous.finding(
                    at: path.text, subject: danger.rawValue,
                    "A script in \"\(path)\" uses \(danger.rawValue), which can run what comes from elsewhere.",
                    before: "\(old) times", after: "\(count) times"))
        }
        let frames = Set(before?.hiddenFrames ?? []).union(homeBefore?.hiddenFrames ?? [])
        for frame in Set(after.hiddenFrames).subtracting(frames).sorted() {
            noted.append(
                GuardRule.frameHidden.finding(
                    at: path.text, subject: frame,
                    "\"\(path)\" has a frame that nobody can see: \"\(frame.abridged(to: 80))\".",
                    after: frame))
        }
        for secret in after.secrets where !(before?.secrets.contains(secret) ?? false) {
            secretsAfter.append((path, secret))
        }
    }

    private mutating func notePlaceholders(_ path: SitePath, before: FileSurvey?, after: FileSurvey) {
        let old = Set(before?.placeholders ?? []).union(homeBefore?.placeholders ?? [])
        for placeholder in after.placeholders where !old.contains(placeholder) {
            noted.append(
                GuardRule.placeholderLeft.finding(
                    at: path.text, subject: placeholder,
                    "In \"\(path)\" content was left out: it says \"\(placeholder)\" instead.", after: placeholder))
        }
    }

    var hasNewOrigins: Bool { !newOrigins.isEmpty }

    /// The site loaded from these before.
    mutating func forget(origins: Set<String>) { newOrigins.removeAll { origins.contains($0.origin) } }

    /// Whether the request names a host: as it is, or by the word that it is known by.
    private func isNamed(_ host: String) -> Bool {
        if request.mentions(host) { return true }
        let labels = host.prefix { $0 != ":" }.split(separator: ".").dropLast()
        return labels.flatMap { $0.split(separator: "-") }.contains { label in
            label.count >= 4 && !Self.plainLabels.contains(String(label)) && request.hasWord(String(label))
        }
    }

    private static let plainLabels: Set<String> = [
        "static", "cdnjs", "fonts", "images", "assets", "media", "files", "content", "site", "sites", "page", "pages",
        "form", "forms", "mail", "data", "code", "script", "scripts", "maps", "video", "videos", "image", "shop",
    ]

    // MARK: Not worse than before

    private mutating func noteQuality(_ path: SitePath, before: FileSurvey?, after: FileSurvey) {
        let old = before?.imagesWithoutAlternative ?? homeBefore?.imagesWithoutAlternative ?? []
        for image in after.imagesWithoutAlternative.subtracting(old).sorted() { altsAfter.append((path, image)) }
        guard let model = before ?? homeBefore else { return }
        if model.hasTitle, !after.hasTitle {
            noted.append(
                GuardRule.titleWorse.finding(
                    at: path.text,
                    before == nil ? "The new page \"\(path)\" has no title." : "The page \"\(path)\" lost its title."))
        }
        if model.hasLanguage, !after.hasLanguage {
            noted.append(
                GuardRule.languageWorse.finding(
                    at: path.text,
                    before == nil
                        ? "The new page \"\(path)\" does not say its language."
                        : "The page \"\(path)\" does not say its language any more."))
        }
    }

    private mutating func noteWeight(of path: SitePath, before: FileSurvey?, after: FileSurvey?) {
        let review = WeightReview(
            request: request, budget: budget, manifest: manifest, parent: parent, newIndex: newIndex,
            oldIndex: oldIndex)
        if let finding = review.finding(ofFile: path) { noted.append(finding) }
        guard path.isHTML, let after,
            let finding = review.finding(ofPage: path, before: before, after: after, homeBefore: homeBefore)
        else { return }
        noted.append(finding)
    }

    // MARK: The outcome

    func findings() -> [Finding] {
        var findings = noted
        for (path, origin) in newOrigins {
            let host = WebHost.host(of: origin) ?? origin
            let finding = GuardRule.originNew.finding(
                at: path.text, subject: origin,
                "\"\(path)\" loads something from \"\(host)\", where this site loaded nothing from before.",
                after: origin)
            findings.append(isNamed(host) ? finding.asWarning : finding)
        }
        let known = secretsBefore.union(homeBefore?.secrets ?? [])
        for (path, secret) in secretsAfter where !known.contains(secret) {
            findings.append(
                GuardRule.secretInFile.finding(
                    at: path.text, subject: "\(secret.kind): \(secret.start)",
                    "\"\(path)\" contains \(secret.kind) (\(secret.start)). Everybody could read and use it.",
                    after: secret.start))
        }
        for (path, image) in altsAfter where !altsBefore.contains(image) {
            findings.append(
                GuardRule.imageAltWorse.finding(
                    at: path.text, subject: image,
                    "On \"\(path)\" an image came without a description (alt text) for people who cannot see it: \"\(image.abridged(to: 80))\".",
                    after: image))
        }
        return findings + lostPageFindings() + lossFindings()
    }

    private func isAsked(_ page: SitePath, _ names: [String]) -> Bool {
        request.asksToLose(.page, named: names + (linkTexts[page.text].map(Array.init) ?? []))
    }

    private func lostPageFindings() -> [Finding] {
        let unnamed = lostPages.filter { !isAsked($0.path, $0.names) }
        guard !unnamed.isEmpty else { return [] }
        // When the request names a page that there was, only that one may go.
        let namesOne = parent.entries.contains { entry in
            entry.path.isHTML && request.asksToLose(.page, named: [String(entry.path.text.prefix { $0 != "." })])
        }
        let allowance = request.allowance(of: .page)
        if allowance == .max || !namesOne && unnamed.count <= allowance { return [] }
        return unnamed.map { path, _ in
            GuardRule.pageLost.finding(
                at: path.text, "The page \"\(path)\" is gone, and the request did not ask for that.", before: path.text)
        }
    }

    private func lossFindings() -> [Finding] {
        var open: [RequestWords.Thing: [Loss]] = [:]
        for loss in losses {
            guard let thing = loss.item.thing, !gained.contains(loss.item.identity), !isExplained(loss, thing) else {
                continue
            }
            open[thing, default: []].append(loss)
        }
        // "Remove the last section": as many sections may go as it says, with all that is in them.
        let sections = request.allowance(of: .section)
        let headings = Set(losses.filter { $0.item.kind == .heading }.map { "\($0.path)\n\($0.item.text)" })
        let groups = Set(
            open.values.joined().map { loss in
                // A section with sections in it is one.
                let outermost = loss.sections.first { headings.contains("\(loss.path)\n\($0)") }
                return "\(loss.path)\n\(outermost ?? loss.item.section)"
            })
        if sections == .max || sections > 0 && groups.count <= sections && !namesKnown(.heading) { return [] }
        var findings: [Finding] = []
        for (thing, losses) in open {
            let allowance = request.allowance(of: thing)
            let count = Set(losses.map(\.item.identity)).count
            if allowance == .max || count <= allowance && !namesKnown(thing) { continue }
            findings += losses.compactMap(Self.finding)
        }
        return findings
    }

    /// Whether the request asks for this loss, or it follows from one that has a finding of its own.
    private func isExplained(_ loss: Loss, _ thing: RequestWords.Thing) -> Bool {
        let item = loss.item
        if let destination = loss.destination, removedPages.contains(destination) { return true }
        if (thing == .text || thing == .heading) && request.allowsShortening { return true }
        if request.asksToLose(thing, named: item.names) { return true }
        return loss.sections.contains { request.asksToLose(.section, named: [$0]) }
    }

    /// Whether the request names something of this kind that there was: then only that may go.
    private func namesKnown(_ thing: RequestWords.Thing) -> Bool {
        known[thing, default: []].contains { request.asksToLose(thing, named: $0) }
    }

    private static func finding(_ loss: Loss) -> Finding? {
        let rule: GuardRule
        switch loss.item.kind {
        case .heading: rule = .headingLost
        case .text: rule = .textLost
        case .link: rule = .linkLost
        case .image: rule = .imageLost
        case .form: rule = .formLost
        case .script: rule = .scriptLost
        case .frame: rule = .frameLost
        case .title, .description: return nil
        }
        let name = loss.item.name
        return rule.finding(
            at: loss.path.text, subject: loss.item.target.isEmpty ? loss.item.text : loss.item.target,
            "On \"\(loss.path)\", \(name) is gone, and the request did not ask for that.", before: name)
    }
}
