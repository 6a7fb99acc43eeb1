import Foundation

/// Whole lists, page by page.
extension APIClient {
    /// Every item of the list at `path`, up to `limit`, as one body `{"items":[…],"next_cursor":…}`.
    func list(_ path: APIPath, limit: Int = 10_000) async throws -> APIResponse {
        var items: [Any] = []
        var cursor: String?
        repeat {
            let size = String(min(100, limit - items.count))
            let page = try await send(.get, path.with([("limit", size), ("cursor", cursor)]))
            guard let object = try? JSONSerialization.jsonObject(with: page.body) as? [String: Any],
                let found = object["items"] as? [Any]
            else { throw CLIError(.failed, "the server's answer is not a list") }
            items += found
            cursor = object["next_cursor"] as? String
        } while cursor != nil && items.count < limit
        let body: [String: Any] = ["items": items, "next_cursor": cursor ?? NSNull()]
        return APIResponse(
            status: 200, contentType: "application/json",
            body: try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys, .withoutEscapingSlashes]))
    }
}

/// The shape of every list.
struct ListBody<Item: Decodable>: Decodable {
    let items: [Item]
}
