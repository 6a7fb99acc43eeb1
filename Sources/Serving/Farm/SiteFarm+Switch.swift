import BlockingIO
import Domain
import Glibc
import Nginx

extension SiteFarm {
    /// Makes `next` what visitors get. Its trees are in place. Returns once nginx was seen to serve it; when anything
    /// fails, what was served before is served again and the error is thrown.
    ///
    /// The switch is the one rename of `current`. Names that are new lead nowhere before it, and names that are
    /// dropped lead nowhere after it, so the farm is right at every moment in between.
    func replace(_ previous: ServedSite?, with next: ServedSite) throws {
        let site = next.desired.site
        let folder = layout.folder(of: site)
        if try FarmFiles.ensureFolder(folder) { try FarmFiles.sync(layout.sites) }
        let old = FarmFiles.target(of: layout.current(of: site))
        try build(next, in: folder, whileCurrentIs: old)
        try observe(.generationBuilt, site)

        let names = next.desired.liveNames + next.desired.previewNames
        let missing = names.filter { FarmFiles.target(of: layout.link(of: $0)) == nil }
        let foreign = names.filter { name in !missing.contains(name) && owner(of: name) != site }
        var undo: [() throws -> Void] = []
        do {
            for name in missing {
                try FarmFiles.replaceLink(layout.link(of: name), to: layout.target(of: name, for: site))
                undo.append { try FarmFiles.removeFile(layout.link(of: name)) }
            }
            if !missing.isEmpty { try FarmFiles.sync(layout.domains) }
            try observe(.namesAdded, site)

            try FarmFiles.replaceLink(layout.current(of: site), to: next.name.description)
            undo.append {
                if let old {
                    try FarmFiles.replaceLink(layout.current(of: site), to: old)
                } else {
                    try FarmFiles.removeFile(layout.current(of: site))
                }
            }
            try FarmFiles.sync(folder)
            try observe(.switched, site)

            for name in foreign {
                let before = FarmFiles.target(of: layout.link(of: name))
                try FarmFiles.replaceLink(layout.link(of: name), to: layout.target(of: name, for: site))
                undo.append { if let before { try FarmFiles.replaceLink(layout.link(of: name), to: before) } }
            }
            if !foreign.isEmpty { try FarmFiles.sync(layout.domains) }
            try observe(.namesTaken, site)

            try probe.check(next, names: namesToProbe(next, including: missing + foreign), in: layout)
            for name in droppedNames(previous, next).prefix(1) where owner(of: name) == site {
                try probe.checkIsGone(name)
            }
            try observe(.probed, site)
        } catch {
            // Newest first. What cannot be undone is found by the next start.
            for step in undo.reversed() { try? step() }
            try? FarmFiles.sync(folder)
            throw error
        }
        // The switch stands. A name that stays behind leads nowhere and goes with the next start.
        for name in droppedNames(previous, next) where owner(of: name) == site {
            try? FarmFiles.removeFile(layout.link(of: name))
        }
        try? observe(.namesDropped, site)
    }

    private func droppedNames(_ previous: ServedSite?, _ next: ServedSite) -> [DomainName] {
        guard let previous else { return [] }
        let kept = Set(next.desired.liveNames + next.desired.previewNames)
        return (previous.desired.liveNames + previous.desired.previewNames).filter { !kept.contains($0) }
    }

    private func namesToProbe(_ next: ServedSite, including new: [DomainName]) -> [DomainName] {
        var names: [DomainName] = []
        for name in next.desired.liveNames.prefix(1) + next.desired.previewNames.prefix(1) + new.prefix(16)
        where !names.contains(name) {
            names.append(name)
        }
        return names
    }

    /// Makes the folder of a generation: complete and durable before it gets its name.
    private func build(_ next: ServedSite, in folder: String, whileCurrentIs old: String?) throws {
        let desired = next.desired
        let record = try ServedSiteRecord(next).encoded()
        let path = "\(folder)/\(next.name)"
        if old == next.name.description {
            // The same state once more, because its record was damaged.
            return try FarmFiles.replace(path + "/desired.json", with: record)
        }
        // What an earlier, failed attempt at the same generation left.
        try FileTree.remove(path)
        let temporary = "\(folder)/.new-\(next.name)"
        try FileTree.remove(temporary)
        try FarmFiles.makeFolder(temporary)
        try FarmFiles.makeFolder(temporary + "/names")
        for (role, tree) in [("live", desired.live), ("preview", desired.preview), ("previous", desired.previous)] {
            guard let tree else { continue }
            try FarmFiles.makeLink("\(temporary)/\(role)", to: "../../../trees/\(tree.digest)")
        }
        for (names, shown) in [
            (desired.liveNames, SiteProbe.shown(live: desired)),
            (desired.previewNames, SiteProbe.shown(preview: desired)),
        ] where !names.isEmpty {
            try FarmFiles.ensureFolder("\(temporary)/\(shown)")
            for name in names { try FarmFiles.makeLink("\(temporary)/names/\(name)", to: "../\(shown)") }
        }
        var made: [OpenFile] = []
        if let message = desired.maintenance {
            made.append(
                try FarmFiles.write(
                    Array(NginxPages.maintenance(message: message).utf8), to: temporary + "/maintenance.html"))
        }
        for (role, tree) in [("live", desired.live), ("preview", desired.preview)] {
            // A copy: content is opened without following links. What is not there, or large, is not shown.
            guard desired.addresses.missingPage != AddressRules.standardMissingPage, let tree,
                let page = try? FarmFiles.read(
                    "\(layout.tree(tree.digest))/\(desired.addresses.missingPage)", limit: Self.missingPageLimit)
            else { continue }
            made.append(try FarmFiles.write(page, to: "\(temporary)/missing-\(role).html"))
        }
        made.append(try FarmFiles.write(record, to: temporary + "/desired.json"))
        for folder in [temporary + "/names", temporary] { made.append(try OpenFile(folder: folder)) }
        try Flush.all(made)
        for file in made { try file.close() }
        try SystemCallError.check("rename", on: path) { rename(temporary, path) }
    }
}
