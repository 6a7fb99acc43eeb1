import BlockingIO
import Domain
import Glibc

/// The folders that nginx serves from, and the only code that changes them. All of it blocks.
struct SiteFarm: Sendable {
    /// Up to how many bytes a site's page for missing addresses may have.
    static let missingPageLimit = 1 << 20

    let layout: ServingLayout
    let probe: SiteProbe
    let observe: ServingStepObserver

    /// What was found when the farm was opened.
    struct Contents: Sendable {
        var sites: [ServedSite] = []
        /// Generations whose record cannot be read: nginx serves them, and they must not be gone below.
        var unreadable: [(site: SiteID, name: GenerationName)] = []
    }

    /// Makes the folders, deletes what a crash left, reads what is served, and makes the names agree with it.
    func open() throws -> Contents {
        for folder in [layout.root, layout.trees, layout.sites, layout.domains] { try FarmFiles.ensureFolder(folder) }
        // An agent that was killed between a rename and its sync left a switch that a loss of power could still undo. What
        // is reported from here on must be on the disk.
        try FarmFiles.syncAll(layout.root)
        for folder in [layout.trees, layout.sites, layout.domains] { try sweep(folder) }
        var contents = Contents()
        for name in try FarmFiles.names(in: layout.sites) {
            guard let site = SiteID(name) else { continue }
            try sweep(layout.folder(of: site))
            guard let generation = FarmFiles.target(of: layout.current(of: site)).flatMap(GenerationName.init) else {
                // A first generation that was cut off before its switch.
                try FarmFiles.removeFolder(layout.folder(of: site))
                continue
            }
            // nginx has not begun to serve yet, so nobody is within an older one.
            for other in try generations(of: site) where other != generation.description {
                try FarmFiles.removeFolder("\(layout.folder(of: site))/\(other)")
            }
            do {
                let file = "\(layout.folder(of: site))/\(generation)/desired.json"
                let served = try ServedSiteRecord(decoding: try FarmFiles.read(file)).value()
                guard served.desired.site == site, served.name == generation else {
                    throw ServedSiteRecord.unreadable("it belongs to another generation")
                }
                contents.sites.append(served)
            } catch {
                contents.unreadable.append((site, generation))
            }
        }
        try reconcileNames(with: contents)
        return contents
    }

    private func sweep(_ folder: String) throws {
        for name in try FarmFiles.names(in: folder) where name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            if unlink(path) != 0 && errno != ENOENT { try FileTree.remove(path) }
        }
    }

    /// A crash between a switch and its last step leaves names too many or too few; neither shows a wrong site.
    private func reconcileNames(with contents: Contents) throws {
        var claims: [DomainName: Set<SiteID>] = [:]
        for served in contents.sites {
            for name in served.desired.liveNames + served.desired.previewNames {
                claims[name, default: []].insert(served.desired.site)
            }
        }
        let unknown = Set(contents.unreadable.map(\.site))
        for text in try FarmFiles.names(in: layout.domains) {
            let owner = FarmFiles.target(of: "\(layout.domains)/\(text)").flatMap(layout.site(inTarget:))
            guard let name = try? DomainName(text), name.text == text, let owner else {
                try FarmFiles.removeFile("\(layout.domains)/\(text)")
                continue
            }
            if claims[name]?.contains(owner) == true || unknown.contains(owner) {
                claims[name] = nil
            } else if claims[name] == nil {
                try FarmFiles.removeFile(layout.link(of: name))
            }
        }
        for (name, sites) in claims {
            guard let site = sites.max() else { continue }
            try FarmFiles.replaceLink(layout.link(of: name), to: layout.target(of: name, for: site))
        }
    }

    private func generations(of site: SiteID) throws -> [String] {
        try FarmFiles.names(in: layout.folder(of: site)).filter { GenerationName($0) != nil }
    }

    /// Generations that nothing leads to, as paths.
    func unusedGenerations(of sites: Set<SiteID>) throws -> [String] {
        try sites.flatMap { site in
            let current = FarmFiles.target(of: layout.current(of: site))
            return try generations(of: site).filter { $0 != current }.map { "\(layout.folder(of: site))/\($0)" }
        }
    }

    /// Trees that are not among `kept`, as paths.
    func unusedTrees(except kept: Set<ContentDigest>) throws -> [String] {
        try FarmFiles.names(in: layout.trees).filter { name in ContentDigest(name).map { !kept.contains($0) } ?? false }
            .map { "\(layout.trees)/\($0)" }
    }

    /// Who answers to `name` now.
    func owner(of name: DomainName) -> SiteID? {
        FarmFiles.target(of: layout.link(of: name)).flatMap(layout.site(inTarget:))
    }

    /// Makes links again that somebody deleted.
    func restoreNames(of served: ServedSite) throws {
        for name in served.desired.liveNames + served.desired.previewNames
        where FarmFiles.target(of: layout.link(of: name)) == nil {
            try FarmFiles.replaceLink(layout.link(of: name), to: layout.target(of: name, for: served.desired.site))
        }
    }

    /// Takes a site and its names away altogether.
    func forget(_ site: SiteID, names: [DomainName]) throws {
        for name in names where owner(of: name) == site { try FarmFiles.removeFile(layout.link(of: name)) }
        try FarmFiles.removeFolder(layout.folder(of: site))
        try FarmFiles.sync(layout.sites)
        try FarmFiles.sync(layout.domains)
    }
}
