package import Domain
import SwiftProtobuf

extension ModelAccess {
    package init(wire: Pagewright_Agent_V1_ModelAccess) throws(ServiceError) {
        let budget = try Field.integer(wire.tokenBudget, "model.token_budget")
        // Never quoted in a refusal: it is a secret.
        let credential = try Field.text(
            wire.authorizationValue, "model.authorization_value", atMost: TextLimit.credential)
        guard !credential.utf8.contains(where: { $0 < 0x20 || $0 > 0x7e }) else {
            throw Field.refuse("model.authorization_value", "has characters that no header has")
        }
        self.init(
            endpoint: ModelEndpoint(
                provider: try Field.choice(wire.provider, "model.provider"),
                baseURL: try Self.baseURL(wire.baseURL),
                authorizationName: try Self.headerName(wire.authorizationName), authorizationValue: credential),
            model: try Self.name(wire.model), tokenBudget: budget == 0 ? nil : budget,
            answerTimeout: try Field.duration(wire.answerTimeoutMs, "model.answer_timeout_ms"))
    }

    private static func baseURL(_ text: String) throws(ServiceError) -> String {
        let text = try Field.text(text, "model.base_url", atMost: TextLimit.address)
        guard let checked = try? ModelEndpoint.checkedBaseURL(text), checked == text else {
            throw Field.refuse("model.base_url", "is not the address of a model's API")
        }
        return checked
    }

    private static func headerName(_ text: String) throws(ServiceError) -> String {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d })
        else { throw Field.refuse("model.authorization_name", "is not the name of a header") }
        return text
    }

    private static func name(_ text: String) throws(ServiceError) -> String {
        guard let checked = try? checkedModel(text, field: "model"), checked == text else {
            throw Field.refuse("model.model", "cannot be the name of a model")
        }
        return checked
    }

    package var wire: Pagewright_Agent_V1_ModelAccess {
        .with {
            $0.provider = endpoint.provider.rawValue
            $0.baseURL = endpoint.baseURL
            $0.authorizationName = endpoint.authorizationName
            $0.authorizationValue = endpoint.authorizationValue
            $0.model = model
            $0.tokenBudget = Int64(tokenBudget.map { max(1, $0) } ?? 0)
            $0.answerTimeoutMs = answerTimeout.wholeMilliseconds
        }
    }
}
