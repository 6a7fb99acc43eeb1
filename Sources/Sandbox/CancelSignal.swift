import Glibc

/// Lets a task wake the thread of its sandbox.
final class CancelSignal: Sendable {
    let descriptor: Int32

    init() throws(SystemFailure) { descriptor = try LinuxCall.makeEvent() }

    deinit { close(descriptor) }

    /// May be called more than once, from anywhere.
    func fire() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }
}
