import NIOHTTP1

/// Why a request was not let through, or its answer not let in; said to the task, and logged.
struct EgressRefusal: Error, Equatable {
    let status: HTTPResponseStatus
    /// For the log and for tests; never changes.
    let rule: String
    let sentence: String

    init(_ status: HTTPResponseStatus, _ rule: String, _ sentence: String) {
        self.status = status
        self.rule = rule
        self.sentence = sentence
    }

    static let method = EgressRefusal(.methodNotAllowed, "method", "Only POST leads to a model.")
    static let target = EgressRefusal(.badRequest, "target", "The request's target is not a plain path.")
    static let operation = EgressRefusal(.notFound, "operation", "This task may not ask for that.")
    static let bodySize = EgressRefusal(.payloadTooLarge, "body-size", "The request is too large.")
    static let requestBudget = EgressRefusal(
        .forbidden, "request-budget", "This task has asked its model as often as it may.")
    static let byteBudget = EgressRefusal(
        .forbidden, "byte-budget", "This task has sent and received as much as it may.")
    static let tokenBudget = EgressRefusal(
        .forbidden, "token-budget", "This task has used all the tokens that it may.")
    static let playback = EgressRefusal(.conflict, "playback", "Nothing more was said then.")
    static let resolution = EgressRefusal(.badGateway, "resolution", "The model's name leads nowhere.")
    static let address = EgressRefusal(
        .badGateway, "address", "The model's name leads to an address that is not to be asked.")
    static let plaintext = EgressRefusal(
        .badGateway, "plaintext", "A model elsewhere is asked over https only.")
    static let connection = EgressRefusal(.badGateway, "connection", "The model cannot be reached.")
    static let silence = EgressRefusal(.gatewayTimeout, "silence", "The model did not answer in time.")
    static let redirect = EgressRefusal(.badGateway, "redirect", "The model's server points elsewhere.")
    static let answer = EgressRefusal(.badGateway, "answer", "The model's server did not answer properly.")

    /// In a form that OpenAI's and Anthropic's clients show.
    var body: String {
        #"{"type":"error","error":{"type":"egress_refused","code":"\#(rule)","message":"\#(sentence)"}}"#
    }
}
