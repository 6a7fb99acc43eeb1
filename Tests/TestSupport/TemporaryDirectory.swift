import Foundation

/// A folder of its own for one test; gone when the scope ends.
package func withTemporaryDirectory<Value>(
    _ body: (_ path: String) async throws -> Value
) async throws -> Value {
    let url = FileManager.default.temporaryDirectory.appending(path: "pagewright-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer {
        do {
            try FileManager.default.removeItem(at: url)
        } catch {
            // Trees are read-only on purpose; rights come back before they are deleted.
            let chmod = Process()
            chmod.executableURL = URL(filePath: "/bin/chmod")
            chmod.arguments = ["-R", "u+rwX", url.path]
            try? chmod.run()
            chmod.waitUntilExit()
            try? FileManager.default.removeItem(at: url)
        }
    }
    return try await body(url.resolvingSymlinksInPath().path)
}
