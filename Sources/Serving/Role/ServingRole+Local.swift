package import AgentCore
import BlockingIO
import Domain
import Logging

extension ServingRole: LocalAnswering {
    package func answer(_ request: LocalRequest) async throws -> [UInt8]? {
        switch request.verb {
        case .verify: return try encoded(try await verifyAll(request.site))
        case .rollback:
            guard let site = request.site else {
                throw ServiceError(.invalidArgument, "a roll-back is of one site", field: "site")
            }
            return try encoded(
                try await rollBack(site, to: request.version, isUndo: request.isUndo ?? false))
        case .collectionPlan: return try encoded(try await cleanUpPlan())
        case .drain, .resume, .rotate, .logs: return nil
        }
    }

    private func find(_ reference: String) throws -> SiteID {
        if let site = SiteID(reference), sites[site]?.served != nil { return site }
        for (site, tracked) in sites {
            let names = tracked.served.map { $0.desired.liveNames + $0.desired.previewNames } ?? []
            if names.contains(where: { $0.text == reference }) { return site }
        }
        throw ServiceError(
            .notFound, "this host serves no site \(reference.prefix(100))", field: "site",
            nextStep: "List them: pagewright-agent sites.")
    }

    private func verifyAll(_ reference: String?) async throws -> LocalVerification {
        try await load()
        let chosen =
            if let reference {
                [try find(reference)]
            } else {
                sites.filter { $0.value.served?.desired.isRemoved == false }.keys.sorted()
            }
        var result = LocalVerification(sites: [])
        for site in chosen {
            try Task.checkCancellation()
            let damage = try await verify(site)
            result.sites.append(
                .init(site: site.text, damage: damage.prefix(100).map { "\($0.kind.rawValue) \($0.path)" }))
        }
        return result
    }

    /// Makes a version live that is on this host, without the coordinator. The generation stays: the coordinator is told,
    /// and undoes it or lets it be, as its operator decided; the next release ends it in any case.
    package func rollBack(_ reference: String, to version: Int?, isUndo: Bool) async throws -> LocalWord {
        try await load()
        let site = try find(reference)
        guard let tracked = sites[site], let served = tracked.served, !served.desired.isRemoved else {
            throw ServiceError(.notFound, "this host serves no site \(reference)", field: "site")
        }
        guard !tracked.isBusy else {
            throw ServiceError(
                .unavailable, "the site is being brought up to date", rule: "site-busy",
                nextStep: "Try again in a moment.")
        }
        let tree = try chosenTree(of: served, version: version, isUndo: isUndo)
        let next = served.overriding(live: tree)
        guard next != served else { return LocalWord(text: "Visitors get version \(tree.number) already.") }
        sites[site]?.isBusy = true
        defer {
            sites[site]?.isBusy = false
            touchedSites.insert(site)
            enqueue(site)
        }
        let digests = Set(next.desired.trees.map(\.digest))
        try await beginUse(of: digests)
        defer { endUse(of: digests) }
        let farm = farm
        let layout = layout
        guard try await pool.run({ FarmFiles.exists(layout.tree(tree.digest)) }) else {
            throw ServiceError(
                .failedPrecondition, "version \(tree.number) is not whole on this host", rule: "rollback-tree",
                nextStep: "Choose another one with --to; see pagewright-agent site \(reference).")
        }
        try await pool.run { try farm.replace(served, with: next) }
        sites[site]?.served = next
        logger.warning(
            isUndo ? "A local roll-back was taken back" : "A site was rolled back on this host",
            metadata: ["site.id": "\(site)", "version": "\(tree.number)"])
        outbox?.send(.siteStatus(next.status))
        let after =
            if next.overridden == nil {
                "That is what the coordinator asked for."
            } else if outbox != nil {
                "The coordinator was told; when it is set to undo this it does so at once: then use pagewright rollback."
            } else {
                "The coordinator will be told when it is back; it undoes this or lets it be, as it is set."
            }
        return LocalWord(text: "Visitors get version \(tree.number) now. \(after)")
    }

    private func chosenTree(
        of served: ServedSite, version: Int?, isUndo: Bool
    ) throws(ServiceError) -> DesiredSite.Tree {
        let asked = served.asked
        if isUndo {
            guard served.overridden != nil, let live = asked.live else {
                throw ServiceError(
                    .failedPrecondition, "nobody rolled this site back on this host", rule: "rollback-none")
            }
            return live
        }
        let known = [asked.live, asked.previous, asked.preview].compactMap(\.self)
        if let version {
            guard let tree = known.first(where: { $0.number.rawValue == version }) else {
                throw ServiceError(
                    .notFound, "version \(version) is not on this host", field: "version", rule: "rollback-version",
                    nextStep: "There are \(known.map { "\($0.number)" }.joined(separator: ", ")).")
            }
            return tree
        }
        guard let previous = asked.previous else {
            throw ServiceError(
                .failedPrecondition, "there is no release before the present one on this host",
                rule: "no-previous-release", nextStep: "Choose a version with --to.")
        }
        return previous
    }

    /// What the next clean-ups would take away, if nothing changes.
    package func cleanUpPlan() async throws -> LocalCollectionPlan {
        try await load()
        if sites.values.contains(where: { $0.floor != nil }) {
            return LocalCollectionPlan(obstacle: "A site's record cannot be read, and it may refer to anything.")
        }
        var kept = Set(treesInUse.keys)
        for site in sites.values {
            kept.formUnion(site.served?.trees ?? [])
            kept.formUnion(site.wanted?.trees.map(\.digest) ?? [])
        }
        let farm = farm
        let sweep = BlobSweep(blobs: blobs, kept: kept, grace: settings.blobGrace)
        let looked = Set(sites.filter { !$0.value.isBusy }.keys)
        let isBusy = !treesInUse.isEmpty
        return try await pool.run { [kept] in
            var plan = LocalCollectionPlan(
                generations: try farm.unusedGenerations(of: looked), trees: try farm.unusedTrees(except: kept))
            for shard in 0..<256 {
                let unused = try sweep.find(shard: shard)
                plan.blobs += unused.count
                plan.blobBytes += unused.reduce(0) { $0 + $1.sizeInBytes }
            }
            if isBusy { plan.obstacle = "A site is being brought up to date; blobs stay until that is done." }
            return plan
        }
    }
}
