import Database
package import Domain
import Persistence

extension AuditService {
    /// What the users, hosts and sites are called whose identifiers stand in some rows, by identifier; 200 rows at most.
    package func names(in entries: [AuditEntry], for principal: Principal) async throws -> [String: String] {
        try principal.requireAdmin()
        let words = Set(entries.flatMap { [$0.actor, $0.subject, $0.site ?? ""] })
        let (users, hosts, sites) = try await database.answers(
            stores.users.names(of: words.compactMap(UserID.init)),
            stores.hosts.names(of: words.compactMap(HostID.init)),
            stores.sites.names(of: words.compactMap(SiteID.init)))
        var names: [String: String] = [:]
        for (id, name) in users { names[id.text] = name }
        for (id, name) in hosts { names[id.text] = name }
        for (id, name) in sites { names[id.text] = name }
        return names
    }
}
