import Glibc

/// A system call that failed, on what, and why.
package struct SystemCallError: Error, Equatable, CustomStringConvertible {
    /// The name of the call, such as `openat`.
    package let call: String
    package let path: String
    /// The value of `errno`.
    package let code: CInt

    /// Without a `code`, the call of this thread that failed last.
    package init(_ call: String, on path: String, code: CInt? = nil) {
        self.call = call
        self.path = path
        self.code = code ?? errno
    }

    /// Whether there is no room left: on the disk, for the user, or for another file.
    package var isStorageFull: Bool { code == ENOSPC || code == EDQUOT }

    package var description: String { "\(call) \(path): \(String(cString: strerror(code)))" }

    /// Calls `body` again for as long as a signal interrupts it, and throws when it fails.
    @discardableResult
    package static func check<Value: BinaryInteger>(_ call: String, on path: String, _ body: () -> Value) throws
        -> Value
    {
        while true {
            let result = body()
            if result != -1 { return result }
            let code = errno
            guard code == EINTR else { throw SystemCallError(call, on: path, code: code) }
        }
    }
}
