import Coordinator
import Domain

/// Which models engines ask, for admins. A key goes in and never comes out.
struct EnginePages: Sendable {
    let engines: EngineService

    var routes: [PageRoute] {
        [
            .get("/admin/engines") { .page(try await page($0)) },
            .post("/admin/engines/{engine}") { try await change($0) },
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
        if visit.query["done"] != nil {
            page.values["notice"] = ["text": "It is saved and used from the next edit on."]
        }
        if let error { page.status = error.status }
        return page
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
            "name": view.engine.rawValue, "workers": Wording.count(view.workers, "connected worker"),
            "asksModels": !view.engine.providers.isEmpty, "isEnabled": view.setting?.isEnabled ?? true,
            "isSet": view.setting != nil, "large": view.setting?.largeModel ?? "",
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
