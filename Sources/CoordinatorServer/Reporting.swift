import ArgumentParser
import Domain
import Foundation

extension ExitCode {
    /// The configuration makes no sense (EX_CONFIG of sysexits.h). Starting again changes nothing; the unit knows it.
    static let configuration = ExitCode(78)
}

/// Runs a command and says what went wrong in a sentence with a next step, on standard error. The program then ends with
/// `code`.
@discardableResult
func reporting<Value>(as code: ExitCode = .failure, _ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as ServiceError {
        var text = "pagewright-coordinator: \(error.message)"
        if let cause = error.cause { text += " (\(cause))" }
        if let nextStep = error.nextStep { text += "\n\(nextStep)" }
        FileHandle.standardError.write(Data((text + "\n").utf8))
        throw code
    }
}

/// One line of JSON on standard output, written at once.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
}
