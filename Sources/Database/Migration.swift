/// One step of the schema. Steps are numbered 1, 2, 3 … and never change once they were released.
///
/// A step only adds, and what it adds may be left out: programs of the version before go on beside it, and can be
/// started again. One that takes something away, or makes something required, comes a version later and ``contracts``.
package struct Migration: Sendable {
    /// How the name of a step that contracts begins in the database, where programs that do not know the step see it.
    static let contractionWord = "contract: "

    package let number: Int
    package let name: String
    package let statements: [String]
    /// Whether programs that do not know this step cannot work with the database any more.
    package let contracts: Bool

    package init(number: Int, name: String, statements: [String], contracts: Bool = false) {
        self.number = number
        self.name = name
        self.statements = statements
        self.contracts = contracts
    }

    var recordedName: String { contracts ? Self.contractionWord + name : name }
}
