import Testing

@testable import Domain

@Suite struct EngineRulesTests {
    private static let endpoint = ModelEndpoint(
        provider: .openAIResponses, baseURL: "https://api.openai.com/v1", authorizationName: "authorization",
        authorizationValue: "Bearer sk-very-secret")

    @Test("Whatever prints an endpoint does not print its credential")
    func secrecy() {
        let endpoint = Self.endpoint
        let access = ModelAccess(endpoint: endpoint, model: "m")
        var dumped = ""
        dump(access, to: &dumped)
        for text in ["\(endpoint)", String(reflecting: endpoint), "\(access)", String(reflecting: access), dumped] {
            #expect(!text.contains("secret"), "\(text)")
        }
    }

    @Test("Only the operations of the provider can be asked for")
    func operations() {
        #expect(Self.endpoint.address(forPath: "/v1/responses?x=1") == "https://api.openai.com/v1/responses")
        for path in ["/v1/files", "/v1/responses/../files", "/responses", "/v1/messages", "/v1/", ""] {
            #expect(Self.endpoint.address(forPath: path) == nil, "\(path)")
        }
    }

    @Test(
        "The address of a provider is plain, or refused",
        arguments: [
            ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
            ("http://10.0.0.7:8000", "http://10.0.0.7:8000"),
            ("ftp://x", nil), ("https://", nil), ("https://user@host/v1", nil), ("https://host/v1?x=1", nil),
            ("https://host/../x", nil), ("https://host/\r\nx", nil), ("", nil),
        ])
    func baseURL(text: String, expected: String?) {
        #expect((try? ModelEndpoint.checkedBaseURL(text)) == expected)
    }

    @Test("Names of models and keys have nothing in them that could mean something else")
    func names() {
        for name in ["gpt-5.4", "anthropic/claude-sonnet-4-5", "llama3:8b", "@cf/meta"] {
            #expect((try? ModelAccess.checkedModel(name, field: "m")) == name)
        }
        for name in ["", "-x", "a b", "a\"b", "a\nb", String(repeating: "a", count: 121)] {
            #expect(throws: ServiceError.self) { try ModelAccess.checkedModel(name, field: "m") }
        }
        #expect((try? EngineSetting.checkedKey(" sk-1234 \n")) == "sk-1234")
        for key in ["", "a b", "ä", "a\r\nb"] {
            #expect(throws: ServiceError.self) { try EngineSetting.checkedKey(key) }
        }
        #expect(EngineSetting.hint(of: "sk-1234567890") == "…7890")
        #expect(EngineSetting.hint(of: "short") == "…")
    }

    @Test(
        "Small requests go to the small model",
        arguments: [
            ("Change the headline to \"Fresh bread\"", TaskSize.small), ("Make the background red", .small),
            ("Add a page about our history", .large), ("Redesign the home page", .large),
            ("Schreibe einen Text über uns", .large), (String(repeating: "word ", count: 60), .large),
        ])
    func size(text: String, expected: TaskSize) throws {
        #expect(TaskSize(of: try Prompt(text)) == expected)
    }

    @Test("Money is counted in millionths, rounded up, and never overflows")
    func money() {
        let prices = TokenPrices(uncachedInput: 3_000_000, cachedInput: 300_000, output: 15_000_000)
        let usage = TokenUsage(uncachedInput: 1000, cachedInput: 2000, output: 100)
        #expect(prices.cost(of: usage) == 3000 + 600 + 1500)
        #expect(TokenPrices(uncachedInput: 1, cachedInput: 0, output: 0).cost(of: usage) == 1)
        #expect(TokenPrices.unknown.cost(of: usage) == 0)
        let absurd = TokenPrices(uncachedInput: .max, cachedInput: .max, output: .max)
        #expect(absurd.cost(of: usage) == 1_000_000_000_000)
    }

    @Test("A budget refuses when it is used up, and says which it is")
    func budget() throws {
        let budget = Budget(scope: .day, tokens: 1000, minutes: 2)
        try budget.require(Spending(tokens: 999, money: 1_000_000, seconds: 119))
        let refusal = #expect(throws: ServiceError.self) {
            try budget.require(Spending(tokens: 1000, money: 0, seconds: 0))
        }
        #expect(refusal?.code == .quotaExceeded)
        #expect(refusal?.rule == "budget-day")
        #expect(refusal?.message == "the budget of 1000 tokens for your sites within 24 hours is used up (1000 used)")
        #expect(throws: ServiceError.self) { try budget.require(Spending(tokens: 0, money: 0, seconds: 120)) }
        #expect(
            Budget(scope: .site, money: 1_200_000).exhausted(by: Spending(tokens: 0, money: 1_250_000, seconds: 0))
                == "the budget of 1.20 for this site within 30 days is used up (1.25 used)")
        #expect(Budget(scope: .edit).exhausted(by: Spending(tokens: .max, money: .max, seconds: .max)) == nil)
    }

    @Test("The same error twice is noticed, whatever numbers and quotation marks are in it")
    func loop() {
        var breaker = LoopBreaker()
        let note1 = breaker.notes("replace: line 12 of \"a.html\"")
        #expect(!note1)
        let note2 = breaker.notes("replace: line 12 of \"b.html\"")
        #expect(!note2)
        let note3 = breaker.notes("Replace:  line 7 of 'a.html'")
        #expect(note3)
    }

    @Test("A host that went away is no loop; an engine that fails twice alike is one")
    func loopKinds() {
        func failure(_ code: String) -> JobFailure { JobFailure(kind: .infrastructure, code: code, message: "x") }
        for code in ["lease-expired", "interrupted", "disk-full", "worker-unavailable", "model-unavailable"] {
            #expect(!failure(code).isLoopWhenRepeated, "\(code)")
        }
        for code in ["model-garbage", "model-timeout", "engine-killed"] {
            #expect(failure(code).isLoopWhenRepeated, "\(code)")
        }
    }

    @Test("A busy model is given more time than a host that went away")
    func delays() {
        let busy = JobFailure.modelUnavailable("x")
        #expect((1...3).map { busy.retryDelay(losses: $0) } == [.seconds(5), .seconds(10), .seconds(20)])
        #expect(busy.retryDelay(losses: 1000) == .seconds(300))
        #expect(JobFailure.interrupted.retryDelay(losses: 2) == .seconds(2))
        let absent = JobFailure(kind: .infrastructure, code: JobFailure.unavailableCode, message: "The store is away.")
        #expect((1...3).map { absent.retryDelay(losses: $0) } == [.seconds(20), .seconds(40), .seconds(80)])
    }

    @Test("The key of a kept answer depends on every part, and not on white space in the prompt")
    func cacheKey() throws {
        let digest = try #require(ContentDigest(String(repeating: "a", count: 64)))
        let other = try #require(ContentDigest(String(repeating: "b", count: 64)))
        let owner = UserID(unchecked: "user_0000000000000000000000")
        func key(
            _ model: String = "m", _ prompt: String = "Do it", _ context: ContentDigest? = nil
        ) -> CacheKey {
            CacheKey(
                owner: owner, engine: .model, model: model, instructions: "1", prompt: prompt,
                context: context ?? digest)
        }
        #expect(key() == key("m", " Do\n  it "))
        #expect(key() != key("n"))
        #expect(key() != key("m", "do it"))
        #expect(key() != key("m", "Do it", other))
        #expect(key("m1", "x") != key("m", "1x"))
    }
}
