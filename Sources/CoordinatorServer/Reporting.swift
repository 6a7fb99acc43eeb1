import ArgumentParser
import Domain
import Foundation

/// Runs a command and says what went wrong in a sentence with a next step, on standard error.
func reporting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as ServiceError {
        var text = "pagewright-coordinator: \(error.message)"
        if let cause = error.cause { text += " (\(cause))" }
        if let nextStep = error.nextStep { text += "\n\(nextStep)" }
        FileHandle.standardError.write(Data((text + "\n").utf8))
        throw ExitCode.failure
    }
}

/// One line of JSON on standard output, written at once.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
}
