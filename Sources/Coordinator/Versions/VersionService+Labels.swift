import Database
package import Domain
import Persistence

extension VersionService {
    /// Puts a name or a pin on a version, or takes it off; `nil` leaves it as it is.
    package func label(
        _ number: Int, of reference: String, name: String? = nil, isPinned: Bool? = nil, for principal: Principal,
        once: Once<VersionView> = .unkeyed
    ) async throws -> VersionView {
        let now = clock.now()
        return try await database.withTransaction(once) { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            let version = try await access.version(number, of: site, in: transaction)
            let before = try await stores.labels.find(version.number, of: site.id, in: transaction) ?? .none
            let label = try VersionLabel(name: name ?? before.name, isPinned: isPinned ?? before.isPinned)
            if label != before {
                try await stores.labels.save(label, on: version.number, of: site.id, at: now, in: transaction)
                try await AuditTrail(stores: stores).record(
                    .versionLabelled, on: site.id.text, of: site.id, for: principal,
                    [
                        "version": version.number.description, "name": label.name,
                        "pinned": label.isPinned ? "yes" : "no",
                    ], at: now, in: transaction)
            }
            return VersionView(version, of: site, label: label)
        }
    }

    /// The pinned versions of a site, newest first.
    package func pinned(of reference: String, for principal: Principal) async throws -> [VersionView] {
        try await database.read { transaction in
            let site = try await access.find(reference, for: principal, in: transaction)
            var views: [VersionView] = []
            let labels = try await stores.labels.list(of: site.id, in: transaction)
            for (number, label) in labels.sorted(by: { $0.key > $1.key }) where label.isPinned {
                guard let version = try await stores.versions.find(number, of: site.id, in: transaction) else {
                    continue
                }
                views.append(VersionView(version, of: site, label: label))
            }
            return views
        }
    }
}
