import Glibc

/// The end of a pipe that we read, until the last writer is gone.
final class OutputPipe {
    var splitter = LineSplitter()
    private var descriptor: OwnedDescriptor?
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(_ descriptor: OwnedDescriptor) {
        descriptor.makeNonBlocking()
        self.descriptor = descriptor
    }

    var isClosed: Bool { descriptor == nil }

    var pollDescriptor: pollfd { pollfd(fd: descriptor?.number ?? -1, events: Int16(POLLIN), revents: 0) }

    /// Hands out what there is, a bounded piece at a time, without waiting for more.
    func read(_ body: (UnsafeRawBufferPointer) -> Void) {
        for _ in 0..<16 {
            guard let descriptor else { return }
            let count = Glibc.read(descriptor.number, &buffer, buffer.count)
            if count > 0 {
                buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            } else if count < 0 && errno == EINTR {
                continue
            } else if count < 0 && errno == EAGAIN {
                return
            } else {
                self.descriptor = nil
            }
        }
    }
}
