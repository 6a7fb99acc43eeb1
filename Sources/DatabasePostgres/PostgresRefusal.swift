import CPostgres
import Database

/// What a server refused, and whether it ended the session with it.
struct PostgresRefusal {
    let error: SQLError
    let endsConnection: Bool

    init(_ result: OpaquePointer) {
        let message = PostgresConnection.field(result, "M") ?? String(cString: PQresultErrorMessage(result)).trimmedLine
        endsConnection = ["FATAL", "PANIC"].contains(PostgresConnection.field(result, "V"))
        guard var state = PostgresConnection.field(result, "C") else {
            // libpq's own words: the server is gone.
            error = SQLError(.connectionLost, message.isEmpty ? "the server ended the connection" : message)
            return
        }
        if state == "0A000", PostgresConnection.field(result, "R") == "RevalidateCachedQuery" {
            state = SQLError.stalePlan
        }
        if endsConnection, state != "53100" {
            error = SQLError(.connectionLost, "\(message) (SQLSTATE \(state))")
        } else {
            error = SQLError(state: state, message: message)
        }
    }

    /// Sorts the words that libpq has for a connection that could not be opened. Since ``PostgresConnection`` asks for
    /// verbose words they have the SQLSTATE, as in `FATAL:  28P01: password authentication failed for user "app"`.
    static func ofConnecting(_ text: String) -> SQLError {
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }
        let message = lines.joined(separator: " ").trimmedLine
        if let match = message.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
            let state = String(match.1)
            return SQLError(SQLError.kind(of: state), message)
        }
        // Certificates: libpq and OpenSSL have no numbers for these.
        let isTrust = ["certificate", "SSL", "TLS", "password"].contains { message.contains($0) }
        return SQLError(isTrust ? .accessDenied : .connectionLost, message)
    }
}

extension String {
    /// Without white space at the ends, and on one line.
    var trimmedLine: String {
        split(whereSeparator: \.isNewline).map { line in
            line.drop { $0.isWhitespace }
        }.joined(separator: " ")
    }
}
