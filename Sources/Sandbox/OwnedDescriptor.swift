import Glibc

/// A descriptor that is closed when nobody holds it any more.
final class OwnedDescriptor {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    func makeNonBlocking() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }

    static func makePipe() throws(SystemFailure) -> (read: OwnedDescriptor, write: OwnedDescriptor) {
        let ends = try LinuxCall.makePipe()
        return (OwnedDescriptor(ends.read), OwnedDescriptor(ends.write))
    }
}
