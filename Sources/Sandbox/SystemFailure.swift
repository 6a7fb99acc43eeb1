import Glibc

/// A system call that failed, and what the system says about it.
package struct SystemFailure: Error, Equatable, CustomStringConvertible {
    package let call: String
    /// The value of `errno`.
    package let code: Int32

    package init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    /// No space, or the user's share of it, is left.
    package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    package var description: String { "\(call): \(String(cString: strerror(code)))" }
}
