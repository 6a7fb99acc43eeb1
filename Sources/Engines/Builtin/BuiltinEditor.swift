import Markup

/// Edits a site by fixed rules, without any AI: the same request on the same site always gives the same result.
///
/// It understands the requests in `docs/builtin-engine.md` and refuses all others. An edit changes the bytes that it is
/// about and no others, and either all requests of a prompt are carried out or none.
package enum BuiltinEditor {
    /// Carries out `prompt` on the site in the folder at `path`.
    ///
    /// The last event is ``BuiltinEvent/finished(summary:)`` or ``BuiltinEvent/refused(message:)``; after the latter the
    /// folder is as it was. Blocks the thread.
    ///
    /// - Throws: when the folder cannot be read or written.
    package static func apply(
        _ prompt: String, inWorkspaceAt path: String, report: (BuiltinEvent) -> Void
    ) throws {
        do {
            report(.progress(step: "Built-in editor (fixed rules, no AI): reading the request", percent: 5))
            let requests = try RequestReader.requests(in: prompt)
            report(.progress(step: "Looking at the site", percent: 15))
            var site = EditedSite(files: try BuiltinWorkspace(at: path))
            for (index, request) in requests.enumerated() {
                report(.progress(step: request.step, percent: 20 + 60 * index / requests.count))
                try site.carryOut(request)
            }
            let changed = site.files.changedPaths
            if !changed.isEmpty {
                report(
                    .progress(
                        step: changed.count == 1 ? "Saving one file" : "Saving \(changed.count) files", percent: 85))
                try site.files.commit()
            }
            report(.progress(step: "Done", percent: 100))
            report(.finished(summary: site.notes.joined(separator: " ")))
        } catch let refusal as BuiltinRefusal {
            report(.refused(message: refusal.message))
        }
    }
}

extension BuiltinRequest {
    /// For the progress of a job.
    fileprivate var step: String {
        switch self {
        case .headline: "Changing a headline"
        case .title: "Changing a title"
        case .description: "Changing a description"
        case .replace: "Replacing text"
        case .colour(let role, _): "Changing the \(role.rawValue) colour"
        case .addPage: "Adding a page"
        case .removePage: "Removing a page"
        case .addSection: "Adding a section"
        case .removeSection: "Removing a section"
        }
    }
}
