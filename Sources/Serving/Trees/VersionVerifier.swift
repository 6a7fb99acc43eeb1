/// Whether one of `keys` signed this statement (see `Version.statement`). Pure and quick.
package typealias VersionVerifier =
    @Sendable (_ statement: String, _ signature: [UInt8], _ keys: [[UInt8]]) -> Bool
