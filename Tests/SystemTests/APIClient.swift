import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A client that does not give up while the coordinator is away: it repeats a request with the same idempotency key.
struct APIClient: Sendable {
    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    let base: String
    var token: String?
    /// How long a request is repeated while nobody answers.
    var patience = Duration.seconds(60)

    /// The same client, for looking once.
    var once: APIClient {
        var copy = self
        copy.patience = .zero
        return copy
    }

    /// The answer as JSON. Repeats while nobody answers.
    @discardableResult
    func send(_ method: String, _ path: String, _ body: [String: any Sendable]? = nil, expecting: Set<Int>) async throws
        -> [String: Any]
    {
        let key = UUID().uuidString
        let deadline = ContinuousClock.now + patience
        while true {
            var request = URLRequest(url: URL(string: base + path)!, timeoutInterval: 10)
            request.httpMethod = method
            if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
            if method != "GET" { request.setValue(key, forHTTPHeaderField: "Idempotency-Key") }
            if let body {
                request.httpBody = try JSONSerialization.data(withJSONObject: body)
                request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            }
            do {
                let (data, response) = try await URLSession.shared.data(for: request)
                let status = (response as? HTTPURLResponse)?.statusCode ?? 0
                let json = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
                if expecting.contains(status) { return json.merging(["status": status]) { own, _ in own } }
                throw Unexpected(description: "\(method) \(path): \(status) \(String(decoding: data, as: UTF8.self))")
            } catch let error as Unexpected {
                throw error
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
