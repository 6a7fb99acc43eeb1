import Testing

@testable import Domain

@Suite struct FairShareTests {
    @Test("A new user is served next, whoever waits")
    func newcomer() {
        #expect(FairShare(served: 5, waiting: 6, last: 1000, own: nil).nextTurn == 5)
        #expect(FairShare(served: nil, waiting: 6, last: 1000, own: nil).nextTurn == 6)
    }

    @Test("Who has jobs already stands behind them")
    func crowd() {
        #expect(FairShare(served: 5, waiting: 6, last: 1000, own: 1000).nextTurn == 1001)
    }

    @Test("Being away gives no credit, and an idle system starts everybody at the same turn")
    func idle() {
        #expect(FairShare(served: 900, waiting: 901, last: 1000, own: 3).nextTurn == 900)
        #expect(FairShare(served: nil, waiting: nil, last: 1000, own: 3).nextTurn == 1000)
        #expect(FairShare(served: nil, waiting: nil, last: nil, own: nil).nextPriority == 0)
    }
}
