/// The questions of several askers in one round trip: what is the same is asked once, and what asks for the rows of a key
/// is asked for all keys at once.
struct Questions {
    /// Where the rows of a question are.
    private enum Place {
        /// All rows of a statement.
        case whole(Int)
        /// Those rows of a statement whose column has this value.
        case part(Int, key: SQLValue)
    }

    private struct Question: Hashable {
        let text: String
        let parameters: [SQLValue]
    }

    private var statements: [SQLStatement] = []
    /// By the number of the statement, for those that have parts.
    private var columns: [Int: String] = [:]
    private var places: [[Place]] = []

    init(_ askers: [[SQLStatement]]) {
        var keys: [ObjectIdentifier: [SQLValue]] = [:]
        for statement in askers.joined() {
            guard let lookup = statement.lookup, let key = statement.parameters.first else { continue }
            keys[ObjectIdentifier(lookup), default: []].append(key)
        }
        var lookups: [ObjectIdentifier: Int] = [:]
        var known: [Question: Int] = [:]
        for asker in askers {
            var own: [Place] = []
            for statement in asker {
                if let lookup = statement.lookup, let key = statement.parameters.first {
                    let name = ObjectIdentifier(lookup)
                    let number: Int
                    if let earlier = lookups[name] {
                        number = earlier
                    } else {
                        number = statements.count
                        lookups[name] = number
                        columns[number] = lookup.column
                        statements.append(lookup.statement(of: Array(Set(keys[name] ?? [key]))))
                    }
                    own.append(.part(number, key: key))
                } else if statement.text.hasPrefix("SELECT ") {
                    let question = Question(text: statement.text, parameters: statement.parameters)
                    let number = known[question] ?? statements.count
                    if number == statements.count {
                        known[question] = number
                        statements.append(statement)
                    }
                    own.append(.whole(number))
                } else {
                    // Something that changes rows and returns them: each by itself.
                    own.append(.whole(statements.count))
                    statements.append(statement)
                }
            }
            places.append(own)
        }
    }

    /// Returns the rows of each question of each asker.
    func ask(in transaction: any SQLTransaction) async throws -> [[[SQLRow]]] {
        let answers = try await transaction.queries(statements)
        guard answers.count == statements.count else {
            throw SQLError(.other, "there is not an answer to each statement")
        }
        var parts: [Int: [SQLValue: [SQLRow]]] = [:]
        for (number, column) in columns {
            parts[number] = try Dictionary(grouping: answers[number]) { try $0.value(column) }
        }
        return places.map { asker in
            asker.map { place in
                switch place {
                case .whole(let number): answers[number]
                case .part(let number, let key): parts[number]?[key] ?? []
                }
            }
        }
    }
}
