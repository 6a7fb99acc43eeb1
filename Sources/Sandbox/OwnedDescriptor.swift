import Glibc

/// A descriptor that is closed when nobody holds it any more.
final class OwnedDescriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    static func makePipe() throws(SystemFailure) -> (read: OwnedDescriptor, write: OwnedDescriptor) {
        let ends = try LinuxCall.makePipe()
        return (OwnedDescriptor(ends.read), OwnedDescriptor(ends.write))
    }

    static func open(_ path: String, flags: Int32) throws(SystemFailure) -> OwnedDescriptor {
        let number = Glibc.open(path, flags | O_CLOEXEC)
        guard number >= 0 else { throw SystemFailure("opening \(path)", errno) }
        return OwnedDescriptor(number)
    }
}
