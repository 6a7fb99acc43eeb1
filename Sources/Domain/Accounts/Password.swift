/// A password as it was typed. It is never logged: its description is a row of dots.
package struct Password: Sendable, CustomStringConvertible {
    package let text: String

    /// A password for a new account: 10 characters to 72 bytes (bcrypt reads no more).
    package init(new text: String) throws(ServiceError) {
        guard text.count >= 10 else {
            throw ServiceError(
                .invalidArgument, "the password is shorter than 10 characters", field: "password",
                rule: "password-length")
        }
        guard text.utf8.count <= 72, !text.utf8.contains(0) else {
            throw ServiceError(
                .invalidArgument, "the password is longer than 72 bytes", field: "password", rule: "password-length")
        }
        self.text = text
    }

    /// A password to compare; any text.
    package init(presented text: String) { self.text = text }

    package var description: String { "••••" }
}
