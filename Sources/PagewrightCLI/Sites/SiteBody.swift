struct SiteBody: Decodable {
    struct Maintenance: Decodable {
        let message: String?
    }

    /// What one host says about the site.
    struct Serving: Decodable {
        let hostId: String
        let hostName: String
        let generation: Int64
        let state: String
        let error: String?
        let fetchedFiles: Int?
        let fetchedBytes: Int64?
        let updatedAt: String
    }

    let id: String
    let slug: String
    let name: String
    let kind: String
    let liveVersion: Int?
    let previewVersion: Int?
    let lastVersion: Int?
    let maintenance: Maintenance?
    /// Missing at coordinators from before there were rules for addresses.
    let mode: String?
    let missingPage: String?
    let domains: [String]
    let url: String
    let previewUrl: String
    let createdAt: String
    let serving: [Serving]

    /// `1 of 1 hosts`, of those that confirmed what they are to serve now.
    var confirmations: String {
        let applied = serving.filter { $0.state == "applied" }.count
        return "\(applied) of \(serving.count) hosts"
    }
}
