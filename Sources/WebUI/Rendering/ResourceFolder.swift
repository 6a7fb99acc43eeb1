import Domain
package import Foundation

/// The folder with the templates and assets of the pages: beside the program as SwiftPM builds and archives it, or where
/// a package installs data. SwiftPM's own `Bundle.module` ends the process when the files are not where they were built.
package struct ResourceFolder: Sendable {
    let url: URL

    package init(url: URL) { self.url = url }

    /// Throws an error that says where the folder was expected.
    package static func find() throws -> Self {
        let places = places(besideExecutable: Bundle.main.executableURL?.resolvingSymlinksInPath())
        guard let url = places.first(where: { FileManager.default.fileExists(atPath: $0.path + "/templates") }) else {
            throw ServiceError(
                .internalError, "cannot find the pages' templates in \(places.map(\.path).joined(separator: ", "))",
                nextStep: "Install the files into the first or the last of these folders.")
        }
        return Self(url: url)
    }

    static func places(besideExecutable executable: URL?) -> [URL] {
        var places: [URL] = []
        if let folder = executable?.deletingLastPathComponent() {
            places.append(folder.appending(path: "pagewright_WebUI.resources/Resources"))
            places.append(folder.deletingLastPathComponent().appending(path: "share/pagewright/web"))
        }
        let shared = URL(filePath: "/usr/share/pagewright/web")
        if !places.contains(where: { $0.path == shared.path }) { places.append(shared) }
        return places
    }

    /// The files of one folder in it, by name, sorted. Blocks; meant for start-up.
    func files(in folder: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = url.appending(path: folder)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }.sorted()
            .map { ($0, [UInt8](try Data(contentsOf: folder.appending(path: $0)))) }
    }
}
