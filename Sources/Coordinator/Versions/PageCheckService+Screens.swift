import Artifacts
import Database
package import Domain
import Persistence

extension PageCheckService {
    /// The pictures of two versions side by side: of every page that may look different, twelve at most, and of what else
    /// there are pictures of. A page that did not change since another version looks as it does there, so that version's
    /// picture is taken when one of the two has none.
    package func screens(
        from base: Int, to target: Int, of reference: String, for principal: Principal
    ) async throws -> VersionScreens {
        let before = try await find(base, of: reference, for: principal)
        let after = try await find(target, of: reference, for: principal)
        let old = try await manifests.manifest(before.version.digest)
        let new = try await manifests.manifest(after.version.digest)
        let gone = old.entries.map(\.path).filter { $0.isHTML && new.entry(at: $0) == nil }
        let differing = ManifestDelta(from: old, to: new).affectedPages(of: new) + gone
        let pages = Array(differing.prefix(PageChecks.pageLimit))
        return ScreenPairing(
            before: before.version, after: after.version, differing: Set(differing), pages: pages,
            isThereBefore: { old.entry(at: $0) != nil }, isThereAfter: { new.entry(at: $0) != nil },
            old: try await completed(before, old, pages: pages), new: try await completed(after, new, pages: pages)
        ).screens
    }

    /// The pictures of a version, and those of other versions in which these pages look the same.
    private func completed(
        _ view: View, _ manifest: Manifest, pages: [SitePath]
    ) async throws -> [VersionScreens.Screen] {
        var screens = view.pictures.map {
            VersionScreens.Screen(picture: $0.picture, takenOf: $0.takenOf, holder: view.version.number)
        }
        for page in pages where manifest.entry(at: page) != nil && !ScreenPairing.has(page, in: screens) {
            try Task.checkCancellation()
            screens += try await pictures(of: page, looking: manifest, in: view)
        }
        return screens
    }

    private func pictures(
        of page: SitePath, looking manifest: Manifest, in view: View
    ) async throws -> [VersionScreens.Screen] {
        let site = view.site.id
        let candidates = try await database.read { transaction in
            var versions: [Version] = []
            for number in try await stores.checks.versions(
                showing: page, near: view.version.number, of: site, in: transaction)
            {
                if let version = try await stores.versions.find(number, of: site, in: transaction) {
                    versions.append(version)
                }
            }
            return versions
        }
        for candidate in candidates where candidate.number != view.version.number {
            guard manifest.showsAlike(page, as: try await manifests.manifest(candidate.digest)) else { continue }
            let found = try await database.read {
                try await stores.checks.pictures(candidate.number, of: site, in: $0)
            }
            return found.filter { $0.picture.page == page && $0.picture.kind == .page }.map {
                VersionScreens.Screen(picture: $0.picture, takenOf: $0.takenOf, holder: candidate.number)
            }
        }
        return []
    }
}
