import Domain
import Testing

@testable import Coordinator
@testable import WebUI

@Suite struct JobCardTests {
    private func usage(_ usage: TokenUsage, isFromCache: Bool) -> String? {
        let now = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)
        let job = Job(id: JobID(at: now), site: SiteID(at: now), kind: .edit, createdAt: now)
        let view = JobView(
            job: job, edit: nil, wait: nil, summary: "", findings: [], usage: usage, review: nil, model: "large-1",
            isFromCache: isFromCache)
        return JobCard(view: view).values["usage"] as? String
    }

    @Test("What a model used is said; an answer that was kept is from the cache, for no tokens")
    func usage() {
        let used = TokenUsage(uncachedInput: 1000, cachedInput: 200, output: 60)
        #expect(usage(used, isFromCache: false)?.contains("60 out, 200 of the rest cached") == true)
        #expect(usage(.zero, isFromCache: true) == "from cache, 0 tokens")
        #expect(usage(.zero, isFromCache: false) == nil)
    }
}
