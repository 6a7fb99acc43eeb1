import Coordinator
import Domain
import HTTPBodies
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Persistence

/// What was done, by whom, and whether the log of it is whole. For admins.
struct AuditPages: Sendable {
    private static let pageSize = 40
    /// A log that is longer is verified on request only: 20 rows take a millisecond.
    private static let verifiedAtOnce: Int64 = 200

    let audit: AuditService

    var routes: [PageRoute] {
        [
            .get("/admin/audit") { try await list($0) },
            .get("/admin/audit.csv") { try export($0) },
        ]
    }

    private static func filter(_ visit: PageVisit) -> AuditStore.Filter {
        func value(_ name: String) -> String? {
            let text = visit.query.text(name)
            return text.isEmpty ? nil : text
        }
        return AuditStore.Filter(site: value("site"), actor: value("actor"), action: value("action"))
    }

    private func list(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        let filter = Self.filter(visit)
        let rows = try await audit.list(
            filter, oldestFirst: false, page: try visit.page(limit: Self.pageSize), for: principal)
        let head = try await audit.head(for: principal)
        let names = try await audit.names(in: rows.items.map(\.entry), for: principal)
        let asked = FormFields([
            ("site", filter.site ?? ""), ("actor", filter.actor ?? ""), ("action", filter.action ?? ""),
        ]).encoded
        var page = Page("audit", title: "Audit log", section: .admin, command: "pagewright audit verify")
        page.values = [
            "tabs": AdminTabs(.audit).values, "site": filter.site ?? "", "actor": filter.actor ?? "",
            "rows": rows.items.map { Self.values($0, names) }, "isEmpty": rows.items.isEmpty, "head": head.description,
            "count": Wording.count(Int(head.number), "row"), "export": "/admin/audit.csv?\(asked)",
            "actions": AuditAction.allCases.map {
                ["word": $0.rawValue, "chosen": $0.rawValue == filter.action] as [String: Any]
            },
        ]
        if let cursor = rows.nextCursor { page.values["more"] = "\(asked)&cursor=\(cursor.addingPercents())" }
        if head.number <= Self.verifiedAtOnce || visit.query["verify"] != nil {
            do {
                _ = try await audit.verify(expecting: head)
                page.values["whole"] = true
            } catch let broken as AuditChain.Break {
                page.values["broken"] = Wording.sentence(broken.description)
            }
        } else {
            page.values["unverified"] = true
        }
        return .page(page)
    }

    private static func values(_ sealed: SealedAuditEntry, _ names: [String: String]) -> [String: Any] {
        var values: [String: Any] = [
            "number": sealed.number, "at": Wording.time(sealed.entry.at), "actor": sealed.entry.actor,
            "action": sealed.entry.action, "subject": sealed.entry.subject, "site": sealed.entry.site ?? "",
            "details": sealed.entry.details.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(
                separator: ", "),
        ]
        if !sealed.entry.requestID.isEmpty { values["request"] = sealed.entry.requestID }
        // A name says who; the identifier stays with it, for it alone is never given to another.
        if let name = names[sealed.entry.actor] { values["actorName"] = name }
        if let name = names[sealed.entry.subject] { values["subjectName"] = name }
        return values
    }

    /// All rows of a filter, the oldest first, as a table for other programs.
    private func export(_ visit: PageVisit) throws -> PageAnswer {
        let principal = try visit.principal
        try principal.requireAdmin()
        let filter = Self.filter(visit)
        var headers: HTTPFields = [.contentType: "text/csv; charset=utf-8", .cacheControl: "no-store"]
        if let name = HTTPField.Name("Content-Disposition") {
            headers[name] = "attachment; filename=\"pagewright-audit.csv\""
        }
        return .response(
            Response(
                status: .ok, headers: headers,
                body: .pieces { [audit] send in
                    try await send(
                        ByteBuffer(string: "number,at,actor,action,subject,site,details,request,previous_hash,hash\r\n")
                    )
                    var cursor: String?
                    repeat {
                        let page = try await audit.list(
                            filter, oldestFirst: true, page: try PageRequest(cursor: cursor, limit: 200), for: principal
                        )
                        try await send(ByteBuffer(string: page.items.map(Self.line).joined()))
                        cursor = page.nextCursor
                    } while cursor != nil
                }))
    }

    private static func line(_ sealed: SealedAuditEntry) -> String {
        let entry = sealed.entry
        let details = entry.details.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        let cells = [
            String(sealed.number), entry.at.description, entry.actor, entry.action, entry.subject, entry.site ?? "",
            details, entry.requestID, sealed.previousHash.text, sealed.hash.text,
        ]
        return cells.map(CSVText.cell).joined(separator: ",") + "\r\n"
    }
}
