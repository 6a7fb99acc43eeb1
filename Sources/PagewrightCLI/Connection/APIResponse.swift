import Foundation

/// A whole answer of the API.
struct APIResponse: Sendable {
    let status: Int
    let contentType: String
    let body: Data

    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        do {
            return try Self.decoder().decode(Value.self, from: body)
        } catch {
            throw CLIError(
                .failed, "the server's answer is not what this program understands: \(error)",
                nextStep: "Use a pagewright of the same version as the coordinator, or look with: pagewright api GET …")
        }
    }
}
