/// One step of the schema. Steps are numbered 1, 2, 3 … and never change once they were released.
package struct Migration: Sendable {
    package let number: Int
    package let name: String
    package let statements: [String]

    package init(number: Int, name: String, statements: [String]) {
        self.number = number
        self.name = name
        self.statements = statements
    }
}
