import Foundation
import Logging
import Nginx
import TestSupport

/// A host farm made by hand, as the serving role makes one, and the settings of an nginx in front of it.
struct Farm {
    let root: String
    let settings: NginxSettings

    init(
        _ root: String, mode: NginxSettings.Mode = .child, executable: String? = nil, visitorRate: Int = 0
    ) throws {
        self.root = root
        try FileManager.default.createDirectory(atPath: root + "/domains", withIntermediateDirectories: true)
        settings = NginxSettings(
            mode: mode, executable: executable, directory: root + "/nginx", domains: root + "/domains",
            listen: [NginxListenAddress(host: "127.0.0.1", port: try freePorts(1)[0])], visitorRate: visitorRate)
    }

    var address: NginxListenAddress { settings.listen[0] }

    /// Adds a tree of content; the name is made of one hexadecimal digit.
    func addTree(_ digit: Character, files: [String: String]) throws {
        let tree = root + "/trees/" + String(repeating: digit, count: 64)
        for (path, text) in files {
            let file = URL(filePath: tree + "/" + path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: root + "/" + path, withDestinationPath: target)
    }

    /// Adds a site of one generation that shows these trees under `<site>.localhost` and `<site>--preview.localhost`.
    func addSite(
        _ site: String, live: Character, preview: Character? = nil, previous: Character? = nil,
        maintenance: String? = nil, isApp: Bool = false, missing: String? = nil
    ) throws {
        let generation = "sites/\(site)/g00000001-abcdefabcdef"
        func names(_ name: String, role: String, digit: Character) throws {
            let shown = role + "-" + String(repeating: digit, count: 12)
            for folder in ["names", shown] {
                try FileManager.default.createDirectory(
                    atPath: "\(root)/\(generation)/\(folder)", withIntermediateDirectories: true)
            }
            try link("\(generation)/names/\(name)", to: "../\(shown)")
            try link("domains/\(name)", to: "../sites/\(site)/current/names/\(name)")
        }
        let role = isApp ? "live-spa" : "live"
        try names("\(site).localhost", role: maintenance == nil ? role : "maintenance", digit: live)
        if let preview { try names("\(site)--preview.localhost", role: "preview", digit: preview) }
        for (role, digit) in [("live", live), ("preview", preview), ("previous", previous)] {
            guard let digit else { continue }
            try link("\(generation)/\(role)", to: "../../../trees/" + String(repeating: digit, count: 64))
        }
        if let missing {
            try Data(missing.utf8).write(to: URL(filePath: "\(root)/\(generation)/missing-live.html"))
        }
        if let maintenance {
            try Data(maintenance.utf8).write(to: URL(filePath: "\(root)/\(generation)/maintenance.html"))
        }
        try link("sites/\(site)/current", to: "g00000001-abcdefabcdef")
    }

    /// Runs an nginx in front of the farm while `body` runs.
    func serve(_ body: @Sendable @escaping (NginxController) async throws -> Void) async throws {
        let controller = NginxController(settings: settings, logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await controller.run() }
            do {
                try await controller.waitUntilAnswering(atMost: .seconds(60))
                try await body(controller)
            } catch {
                group.cancelAll()
                while await group.nextResult() != nil {}
                throw error
            }
            await controller.stop()
            try await group.waitForAll()
        }
    }

    func get(_ host: String, _ path: String = "/", method: String = "GET") throws -> LoopbackAnswer {
        try LoopbackRequest(to: address, host: host, path: path, method: method, timeout: .seconds(5)).perform()
    }

    /// Sends these bytes as they are, from an address of this machine, and returns what came back.
    func exchange(_ bytes: String, from source: UInt32 = 0x7f00_0001) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var origin = sockaddr_in()
        origin.sin_family = sa_family_t(AF_INET)
        origin.sin_addr.s_addr = source.bigEndian
        let bound = withUnsafePointer(to: origin) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRNOTAVAIL) }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = UInt16(address.port).bigEndian
        target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard connected else { throw POSIXError(.ECONNREFUSED) }
        let sent = Array(bytes.utf8)
        _ = send(descriptor, sent, sent.count, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 8192)
        while case let count = recv(descriptor, &piece, piece.count, 0), count > 0 { answer += piece[..<count] }
        return String(decoding: answer, as: UTF8.self)
    }
}

extension Logger {
    /// For what is tested elsewhere.
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
