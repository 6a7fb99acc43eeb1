import Glibc

/// Where this process got the Swift runtime libraries from.
package enum SwiftRuntime {
    /// The folders that a dynamically linked program needs bound inside a sandbox, outside of `/usr`.
    ///
    /// Empty when everything is linked statically, as in a release.
    package static func libraryFolders() -> [String] {
        var folders: Set<String> = []
        for line in (SmallFile.read("/proc/self/maps", limit: 16 << 20) ?? "").split(separator: "\n") {
            guard let start = line.firstIndex(of: "/") else { continue }
            let path = line[start...]
            guard path.hasSuffix(".so"), let slash = path.lastIndex(of: "/"),
                path[slash...].hasPrefix("/libswift") || path[slash...].hasPrefix("/libFoundation")
                    || path[slash...].hasPrefix("/libdispatch") || path[slash...].hasPrefix("/libBlocksRuntime")
                    || path[slash...].hasPrefix("/lib_")
            else { continue }
            let folder = String(path[..<slash])
            if !folder.hasPrefix("/usr/") && !folder.hasPrefix("/lib") { folders.insert(folder) }
        }
        return folders.sorted()
    }
}
