import Glibc

/// System calls that the C library's module has no function for.
///
/// They go through `syscall(2)`, which takes its arguments where a plain function does on x86-64 and AArch64 alike.
package enum LinuxCall {
    private typealias Function = @convention(c) (Int, Int, Int, Int, Int, Int) -> Int

    private static let function: Function = {
        guard let symbol = dlsym(nil, "syscall") else { preconditionFailure("the C library has no syscall()") }
        return unsafeBitCast(symbol, to: Function.self)
    }()

    #if arch(x86_64)
        private static let eventfd2 = 290
        private static let pipe2 = 293
        private static let memfdCreate = 319
    #elseif arch(arm64)
        private static let eventfd2 = 19
        private static let pipe2 = 59
        private static let memfdCreate = 279
    #else
        #error("system call numbers are known for x86-64 and AArch64 only")
    #endif
    private static let openat2 = 437

    /// Repeats an interrupted call and turns -1 into the error that it stands for.
    private static func checked(_ name: String, _ body: () -> Int) throws(SystemFailure) -> Int32 {
        while true {
            let result = body()
            if result >= 0 { return Int32(truncatingIfNeeded: result) }
            if errno != EINTR { throw SystemFailure(name, errno) }
        }
    }

    /// A counter that wakes `poll`; not inherited, never blocks.
    static func makeEvent() throws(SystemFailure) -> Int32 {
        try checked("eventfd") { function(eventfd2, 0, Int(O_CLOEXEC | O_NONBLOCK), 0, 0, 0) }
    }

    /// A pipe whose ends are not inherited.
    static func makePipe() throws(SystemFailure) -> (read: Int32, write: Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        _ = try checked("pipe2") {
            withUnsafeMutablePointer(to: &ends) { function(pipe2, Int(bitPattern: $0), Int(O_CLOEXEC), 0, 0, 0) }
        }
        return (ends.0, ends.1)
    }

    /// A file without a name that holds `bytes`, ready to be read from the beginning; not inherited.
    static func makeMemoryFile(_ bytes: [UInt8]) throws(SystemFailure) -> Int32 {
        let closeOnExec = 1
        let descriptor = try checked("memfd_create") {
            "pagewright".withCString { function(memfdCreate, Int(bitPattern: $0), closeOnExec, 0, 0, 0) }
        }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let failure = SystemFailure("write", errno)
                close(descriptor)
                throw failure
            }
            written += count
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    /// Opens `path` below `folder`; neither `..`, nor a symbolic link, nor another mount can lead out of it.
    ///
    /// - Parameter flags: such as `O_RDONLY | O_NOFOLLOW`; the descriptor is never inherited.
    package static func open(
        _ path: String, beneath folder: Int32, flags: Int32
    ) throws(SystemFailure) -> Int32 {
        // struct open_how: flags, mode, resolve = NO_XDEV | NO_MAGICLINKS | NO_SYMLINKS | BENEATH
        var how: (UInt64, UInt64, UInt64) = (
            UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), 0, 0x01 | 0x02 | 0x04 | 0x08
        )
        return try checked("openat2") {
            path.withCString { path in
                withUnsafeMutablePointer(to: &how) {
                    function(openat2, Int(folder), Int(bitPattern: path), Int(bitPattern: $0), 24, 0)
                }
            }
        }
    }
}
