import Domain
import Foundation

@testable import Coordinator

/// Pictures as a browser would take them: what says how large they are, and some bytes that make each another one.
enum TestPicture {
    static func png(width: Int, height: Int, _ mark: String) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { (0..<4).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + number(13) + Array("IHDR".utf8) + number(width)
            + number(height) + [8, 2, 0, 0, 0] + Array(mark.utf8)
    }
}

extension Installation {
    /// An edit whose version a browser is to look at: what the worker says of it is still to come.
    func edited(
        _ site: SiteID, by host: HostID, page: String, look: JobCompletion.Look = .follows
    ) async throws -> (lease: JobLease, version: Int) {
        let lease = try await lease(try await edit(site), to: host)
        let plain = try await completion(lease, of: site, page: page)
        let verdict = try await services.completions.complete(
            JobCompletion(
                lease: plain.lease, outcome: plain.outcome, summary: plain.summary, usage: plain.usage, look: look),
            from: host)
        guard verdict == .applied else { throw ServiceError(.internalError, "the edit was \(verdict)") }
        let shown = try await services.sites.find(site.text, for: admin).site.preview
        return (lease, shown?.rawValue ?? 0)
    }

    /// A picture that is in the store.
    func picture(
        _ mark: String, of page: String = "index.html", kind: PagePicture.Kind = .page, width: Int = 375,
        changes: [PagePicture.Box]? = nil
    ) async throws -> PagePicture {
        let height = kind == .page ? 900 : 300
        let bytes = TestPicture.png(width: width, height: height, mark)
        let digest = try await blobs.put(bytes)
        return PagePicture(
            page: try SitePath(page), kind: kind, width: width, height: height, format: .png, digest: digest,
            sizeInBytes: Int64(bytes.count), changes: changes)
    }
}
