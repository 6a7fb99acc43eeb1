import Domain
package import Foundation

/// The starter sites that come with the coordinator.
///
/// They are files beside the program, in a folder each: `<name>/template.json` says what it is and `<name>/site/` is
/// the site itself. SwiftPM's own `Bundle.module` ends the process when the files are not where they were built, so
/// the places are tried here, in order, and a missing folder is an error that says where it was expected.
package enum SiteTemplates {
    /// Reads every template, sorted by name. Meant for start-up: it reads some fifty small files and blocks while it does.
    package static func load() throws -> [SiteTemplate] {
        let places = places(besideExecutable: Bundle.main.executableURL?.resolvingSymlinksInPath())
        guard let folder = places.first(where: isFolder) else {
            throw ServiceError(
                .internalError, "cannot find the site templates in \(places.map(\.path).joined(separator: ", "))",
                nextStep: "Install the templates into the first or the last of these folders.")
        }
        return try load(from: folder)
    }

    /// Reads every template in `folder`, sorted by name.
    package static func load(from folder: URL) throws -> [SiteTemplate] {
        do {
            return try visibleNames(in: folder).filter { isFolder(folder.appending(path: $0)) }.map { name in
                try template(named: name, in: folder.appending(path: name))
            }
        } catch let error as ServiceError {
            throw error
        } catch {
            throw ServiceError(.internalError, "cannot read the site templates in \(folder.path)", cause: error)
        }
    }

    /// Where the templates may be, the likeliest first: beside the program as SwiftPM builds and archives it, then
    /// where a package installs data that does not depend on the machine.
    static func places(besideExecutable executable: URL?) -> [URL] {
        var places: [URL] = []
        if let folder = executable?.deletingLastPathComponent() {
            places.append(folder.appending(path: "pagewright_Coordinator.resources/Resources/templates"))
            places.append(folder.deletingLastPathComponent().appending(path: "share/pagewright/templates"))
        }
        let shared = URL(filePath: "/usr/share/pagewright/templates")
        if !places.contains(where: { $0.path == shared.path }) { places.append(shared) }
        return places
    }

    private struct Description: Decodable {
        let name: String
        let title: String
        let description: String
    }

    private static func template(named name: String, in folder: URL) throws -> SiteTemplate {
        let text = try Data(contentsOf: folder.appending(path: "template.json"))
        let description = try JSONDecoder().decode(Description.self, from: text)
        guard description.name == name else {
            throw ServiceError(
                .internalError, "the template in the folder \"\(name)\" calls itself \"\(description.name)\"")
        }
        var files: [(path: String, bytes: [UInt8])] = []
        try collect(folder.appending(path: "site"), under: "", into: &files)
        files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        return SiteTemplate(
            name: name, title: description.title, description: description.description, files: files)
    }

    private static func collect(
        _ folder: URL, under prefix: String, into files: inout [(path: String, bytes: [UInt8])]
    ) throws {
        for name in try visibleNames(in: folder) {
            let url = folder.appending(path: name)
            if isFolder(url) {
                try collect(url, under: prefix + name + "/", into: &files)
            } else {
                files.append((prefix + name, [UInt8](try Data(contentsOf: url))))
            }
        }
    }

    /// Names in byte order, without those that begin with a dot: editors and file managers leave such files behind.
    private static func visibleNames(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }.sorted()
    }

    private static func isFolder(_ url: URL) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}
