import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What stands in front of several coordinators, as a client of them: it asks each one whether it is ready, sends requests
/// to those that are, and a request that was refused with 503, or not taken at all, to another one.
actor LoadBalancer {
    private let members: [String]
    private var ready: Set<String> = []
    private var turn = 0
    /// How many requests needed more than one try.
    private(set) var retries = 0

    init(_ members: [String]) { self.members = members }

    /// Looks at all members until it is cancelled.
    func watch() async {
        while !Task.isCancelled {
            for member in members {
                let isReady = await Self.ask(member + "/readyz")
                if isReady { ready.insert(member) } else { ready.remove(member) }
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    var readyMembers: Set<String> { ready }

    private func next(after failed: String?) async -> String? {
        for _ in 0..<600 {
            let able = members.filter { ready.contains($0) && $0 != failed }
            if !able.isEmpty {
                turn += 1
                return able[turn % able.count]
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    /// Sends it; a status of 0 is no answer at all. `key` makes a repetition harmless.
    func send(
        _ method: String, _ path: String, _ body: [String: any Sendable]? = nil, token: String
    ) async -> (status: Int, body: String) {
        let key = UUID().uuidString
        var failed: String?
        var last = (status: 0, body: "no member is ready")
        for attempt in 0..<3 {
            guard let member = await next(after: failed) else { return last }
            if attempt > 0 { retries += 1 }
            var request = URLRequest(url: URL(string: member + path)!, timeoutInterval: 30)
            request.httpMethod = method
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
            if method != "GET" { request.setValue(key, forHTTPHeaderField: "Idempotency-Key") }
            if let body {
                request.httpBody = try? JSONSerialization.data(withJSONObject: body)
                request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            }
            do {
                let (data, response) = try await URLSession.shared.data(for: request)
                let status = (response as? HTTPURLResponse)?.statusCode ?? 0
                last = (status, String(decoding: data, as: UTF8.self))
                guard status == 503 else { return last }
                let wait = (response as? HTTPURLResponse)?.value(forHTTPHeaderField: "Retry-After").flatMap { Int($0) }
                try? await Task.sleep(for: .seconds(min(wait ?? 1, 5)))
            } catch {
                last = (0, "\(error)")
            }
            failed = member
        }
        return last
    }

    private static func ask(_ address: String) async -> Bool {
        let request = URLRequest(
            url: URL(string: address)!, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: 5)
        guard let (_, response) = try? await URLSession.shared.data(for: request) else { return false }
        return (response as? HTTPURLResponse)?.statusCode == 200
    }
}
