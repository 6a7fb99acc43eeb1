import Coordinator
import Domain

/// What stands at the top of every page of one site, and what many of them say about it.
struct SiteBar {
    enum Tab: String {
        case studio, versions, compare, settings
    }

    let view: SiteView
    let tab: Tab

    var site: Site { view.site }
    var path: String { "/sites/\(site.slug)" }

    /// Hosts that serve what is wanted now.
    private var applied: Int { view.serving.count { $0.state == .applied } }
    private var refused: ServingView? { view.serving.first { $0.state == .refused } }
    /// Whether any host shows the site, be it as it was a moment ago.
    var isServed: Bool { view.serving.contains { $0.appliedGeneration > 0 } }

    /// The scheme, name and port of the preview and of the live site, for frames.
    var frames: [String] { [view.previewURL, view.url].map { String($0.dropLast($0.hasSuffix("/") ? 1 : 0)) } }

    var values: [String: Any] {
        var values: [String: Any] = [
            "name": site.name, "slug": site.slug.text, "path": path, "id": site.id.text, "url": view.url,
            "previewURL": view.previewURL, "onStudio": tab == .studio,
            "onVersions": tab == .versions || tab == .compare, "onSettings": tab == .settings,
            "state": state, "hasChanges": site.preview != site.live, "isServed": isServed,
        ]
        if let live = site.live { values["live"] = live.rawValue }
        if let preview = site.preview { values["preview"] = preview.rawValue }
        if let maintenance = site.maintenance { values["maintenance"] = maintenance.message }
        return values
    }

    /// What hosts said, as a sentence and a colour. Never "live" before a host said so.
    private var state: [String: Any] {
        let all = view.serving.count
        if all == 0 {
            return [
                "kind": "warn", "text": "No serving host",
                "detail": "No machine serves this site yet, so neither the preview nor the site can be opened.",
            ]
        }
        if let refused {
            return [
                "kind": "danger", "text": "Refused on \(refused.hostName)",
                "detail": "\(refused.hostName) goes on serving what it had. It said: \(refused.error ?? "nothing").",
            ]
        }
        if applied < all {
            return [
                "kind": "busy", "text": "On \(applied) of \(Wording.count(all, "host"))",
                "detail": "The change is on its way to the rest.",
            ]
        }
        if site.maintenance != nil {
            return [
                "kind": "warn", "text": "Maintenance page shown", "detail": "Visitors see your maintenance message.",
            ]
        }
        return [
            "kind": "ok", "text": "Live on \(applied) of \(Wording.count(all, "host"))",
            "detail": "Every host has confirmed it.",
        ]
    }
}
