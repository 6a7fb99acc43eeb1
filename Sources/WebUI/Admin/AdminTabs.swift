/// What stands at the top of every page for admins.
struct AdminTabs {
    enum Tab: String {
        case health, users, engines, audit
    }

    let tab: Tab

    init(_ tab: Tab) { self.tab = tab }

    var values: [String: Any] {
        [
            "onHealth": tab == .health, "onUsers": tab == .users, "onEngines": tab == .engines,
            "onAudit": tab == .audit,
        ]
    }
}
