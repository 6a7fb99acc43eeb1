import Coordinator
import Domain

/// Which models engines ask and how much of them may be used, for admins. A key goes in and never comes out.
struct EnginePages: Sendable {
    let engines: EngineService
    let budgets: BudgetService

    var routes: [PageRoute] {
        [
            .get("/admin/engines") { .page(try await page($0)) },
            .post("/admin/engines/{engine}") { try await change($0) },
            .post("/admin/budgets/{scope}") { try await limit($0) },
            .post("/admin/engines/{engine}/test") { visit in
                do {
                    let answers = try await engines.test(visit.parameter("engine"), for: try visit.principal)
                    return .page(try await page(visit, answers: answers))
                } catch let error as ServiceError where error.code != .internalError {
                    return .page(try await page(visit, error))
                }
            },
        ]
    }

    private func page(
        _ visit: PageVisit, _ error: ServiceError? = nil, answers: [ModelProbeAnswer] = []
    ) async throws -> Page {
        var page = Page("engines", title: "Engines", section: .admin, command: "pagewright engines")
        let list = try await engines.list(for: try visit.principal)
        page.values = [
            "tabs": AdminTabs(.engines).values,
            "engines": list.map { view -> [String: Any] in
                var values = Self.values(view)
                guard view.engine.rawValue == visit.parameters["engine"] else { return values }
                values["isOpen"] = true
                if let error { values["error"] = error.banner }
                values["answers"] = answers.map { answer -> [String: Any] in
                    [
                        "model": answer.model, "message": answer.message, "kind": answer.isAnswering ? "ok" : "danger",
                        "time": "\(answer.duration.wholeMilliseconds) ms",
                    ]
                }
                return values
            },
        ]
        let limits = try await budgets.list(for: try visit.principal)
        page.values["limits"] = limits.map { budget -> [String: Any] in
            var values: [String: Any] = [
                "scope": budget.scope.rawValue, "title": Self.title(of: budget.scope),
                "tokens": budget.tokens.map(String.init) ?? "", "minutes": budget.minutes.map(String.init) ?? "",
            ]
            if let error, visit.parameters["scope"] == budget.scope.rawValue { values["error"] = error.banner }
            return values
        }
        if visit.query["done"] != nil {
            page.values["notice"] = ["text": "It is saved and used from the next edit on."]
        }
        if let error { page.status = error.status }
        return page
    }

    /// Sets the tokens and minutes of one limit; money stays as it is.
    private func limit(_ visit: PageVisit) async throws -> PageAnswer {
        let principal = try visit.principal
        do {
            func number(_ field: String) throws -> Int? {
                let text = visit.form.text(field)
                guard !text.isEmpty else { return nil }
                guard let number = Int(text) else {
                    throw ServiceError(
                        .invalidArgument, "\(field) must be a whole number, or empty for no limit", field: field)
                }
                return number
            }
            let scope = visit.parameter("scope")
            let money = try await budgets.list(for: principal).first { $0.scope.rawValue == scope }?.money
            _ = try await budgets.set(
                scope, tokens: try number("tokens"), money: money, minutes: try number("minutes"), for: principal)
            return .redirect(to: "/admin/engines?done=1")
        } catch let error as ServiceError where error.code == .invalidArgument {
            return .page(try await page(visit, error))
        }
    }

    private static func title(of scope: Budget.Scope) -> String {
        switch scope {
        case .edit: "One edit, with all of its tries"
        case .site: "One site, in 30 days"
        case .day: "All sites of one owner, in 24 hours"
        }
    }

    private func change(_ visit: PageVisit) async throws -> PageAnswer {
        var change = EngineChange()
        change.isEnabled = visit.form["enabled"] == "yes"
        change.provider = visit.form.text("provider")
        change.largeModel = visit.form.text("large_model")
        change.smallModel = visit.form.text("small_model")
        let address = visit.form.text("base_url")
        if !address.isEmpty { change.baseURL = address }
        // An empty field keeps the key; taking it away is a box of its own.
        let key = visit.form.text("key")
        if !key.isEmpty { change.key = key } else if visit.form["forget_key"] != nil { change.key = "" }
        do {
            _ = try await engines.change(visit.parameter("engine"), change, for: try visit.principal)
            return .redirect(to: "/admin/engines?done=1")
        } catch let error as ServiceError where error.code != .internalError {
            return .page(try await page(visit, error))
        }
    }

    private static func values(_ view: EngineView) -> [String: Any] {
        var values: [String: Any] = [
            "name": view.engine.rawValue, "title": view.engine.title,
            "workers": Wording.count(view.workers, "connected worker"),
            "asksModels": !view.engine.providers.isEmpty, "isEnabled": view.setting?.isEnabled ?? true,
            "isSet": view.setting != nil, "isOpen": view.setting != nil, "large": view.setting?.largeModel ?? "",
            "small": view.setting?.smallModel ?? "", "address": view.setting?.baseURL ?? "",
            "providers": view.engine.providers.map { provider -> [String: Any] in
                ["word": provider.rawValue, "chosen": provider == view.setting?.provider]
            },
        ]
        if let hint = view.setting?.keyHint { values["hint"] = hint }
        switch view.setting {
        case nil where view.engine.providers.isEmpty: (values["kind"], values["state"]) = ("ok", "Needs nothing")
        case nil: (values["kind"], values["state"]) = ("warn", "Not set up")
        case let setting?:
            values["kind"] = setting.isEnabled ? "ok" : "plain"
            values["state"] = setting.isEnabled ? "On" : "Off"
        }
        return values
    }
}
