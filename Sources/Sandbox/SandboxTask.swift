import FoundationEssentials
import Glibc
import SwiftProtobuf

/// A task in a sandbox of its own, owned by a shim: it goes on when this process dies, and whoever comes next finds it by
/// its folder.
package final class SandboxTask: Sendable {
    /// What there is in a folder.
    package enum Found: Sendable {
        case running(SandboxTask)
        /// Nothing of it runs any more; ``waitForEnd(keepsRunning:onOutput:)`` hands out all that it printed.
        case ended(SandboxTask)
        /// Its shim was killed, and with it the task. There is no result.
        case lost
        case nothing
    }

    package let folder: String
    /// What ``SandboxRunner/start(_:input:in:lease:keepsake:)`` was given; empty once the task has ended.
    package let keepsake: [UInt8]
    /// When the task was found: how long it runs on without a renewal.
    package let leaseLeft: Duration
    /// The shim's process number; 0 once the task has ended.
    package let process: Int32
    private let socket: OwnedDescriptor?

    private init(folder: String, socket: OwnedDescriptor?, attached: Pagewright_Shim_V1_Attached) {
        self.folder = folder
        self.socket = socket
        keepsake = Array(attached.keepsake)
        leaseLeft = .milliseconds(Int64(clamping: attached.leaseLeftMs))
        process = attached.shimPid
    }

    /// How long a shim that lives may take to answer.
    private static let answerLimit: Int32 = 5000

    /// Looks for the task that was started in `folder`, by this process or another. Blocks for a moment.
    package static func find(in folder: String) throws -> Found {
        do {
            if let running = try connect(to: folder) { return .running(running) }
        } catch let error as SystemFailure where [ECONNREFUSED, ENOENT, ECONNRESET].contains(error.code) {}
        if access(folder + "/result", F_OK) == 0 {
            return .ended(SandboxTask(folder: folder, socket: nil, attached: .init()))
        }
        return access(folder + "/output", F_OK) == 0 ? .lost : .nothing
    }

    /// `nil` when the task ended just now.
    private static func connect(to folder: String) throws -> SandboxTask? {
        let number = Glibc.socket(
            AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { throw SystemFailure("socket", errno) }
        let socket = OwnedDescriptor(number)
        // A folder's path may be longer than an address may be.
        let place = try OwnedDescriptor.open(folder, flags: O_RDONLY | O_DIRECTORY)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(place.number)/shim.sock".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SystemFailure("connecting to the task in \(folder)", errno) }
        var polled = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, answerLimit) > 0 else { throw SystemFailure("the shim's answer", ETIMEDOUT) }
        switch try receive(from: socket) {
        case .report(let report):
            guard case .attached(let attached) = report.report else {
                throw SystemFailure("the shim's answer", EBADMSG)
            }
            return SandboxTask(folder: folder, socket: socket, attached: attached)
        case .nothing, .end: return nil
        }
    }

    private enum Received {
        case report(ShimFrame.Report)
        case nothing, end
    }

    private static func receive(from socket: OwnedDescriptor) throws -> Received {
        var packet = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = recv(socket.number, &packet, packet.count, Int32(MSG_DONTWAIT))
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return .nothing }
            if count < 0 && errno != ECONNRESET { throw SystemFailure("hearing the shim", errno) }
            guard count > 0 else { return .end }
            return .report(try ShimFrame.Report(serializedBytes: Array(packet[..<count])))
        }
    }

    // MARK: What it is told

    /// The task may run for another `duration` from now. Never waits; fine when it has ended.
    package func renew(for duration: Duration) {
        send(.with { $0.renew = .with { $0.leaseMs = duration.shimMilliseconds } })
    }

    /// Kills all of it; ``waitForEnd(keepsRunning:onOutput:)`` returns when that is done. Never waits.
    package func cancel() {
        send(.with { $0.cancel = .init() })
    }

    private func send(_ request: ShimFrame.Request) {
        guard let socket else { return }
        let bytes = ShimFrame.bytes(request)
        _ = Glibc.send(socket.number, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }

    // MARK: What it says

    /// Hands out all that the task printed, from its beginning, and returns when nothing of it is left. To be called
    /// once. Cancelling kills the task at once, unless `keepsRunning` says otherwise: then this throws
    /// `CancellationError`, and the task goes on without us for as long as its lease lasts.
    ///
    /// - Parameter onOutput: called in order on a thread of the task's own, with the place in the log up to which
    ///   everything has been handed out.
    package func waitForEnd(
        keepsRunning: @escaping @Sendable () -> Bool = { false },
        onOutput: @escaping @Sendable (SandboxOutput, Int64) -> Void
    ) async throws -> SandboxOutcome {
        let cancelSignal = try CancelSignal()
        return try await withTaskCancellationHandler {
            try await DedicatedThread.run {
                do {
                    return try self.follow(cancelSignal, keepsRunning: keepsRunning, onOutput)
                } catch let error where !(error is CancellationError) {
                    // Nobody watches it any more.
                    self.cancel()
                    throw error
                }
            }
        } onCancel: {
            cancelSignal.fire()
        }
    }

    /// How long a shim may take to end a task and say so: longer than it tries itself.
    private static let endLimit = Duration.seconds(30)

    private func follow(
        _ cancelSignal: CancelSignal, keepsRunning: () -> Bool, _ onOutput: (SandboxOutput, Int64) -> Void
    ) throws -> SandboxOutcome {
        let log = try ShimLog(folder: folder)
        var cancelledAt: ContinuousClock.Instant?
        while let socket {
            var polled = [
                pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: cancelledAt == nil ? cancelSignal.descriptor : -1, events: Int16(POLLIN), revents: 0),
            ]
            poll(&polled, 2, cancelledAt == nil ? -1 : 1000)
            if polled[1].revents != 0 {
                if keepsRunning() { throw CancellationError() }
                cancel()
                cancelledAt = .now
            }
            if let cancelledAt, .now - cancelledAt > Self.endLimit {
                throw SandboxError.cannotConfirmEnd(process: process)
            }
            guard polled[0].revents != 0 else { continue }
            let received = try Self.receive(from: socket)
            try log.read(onOutput)
            if case .end = received { break }
        }
        try log.read(onOutput)
        log.finish(onOutput)
        return try readOutcome()
    }

    private func readOutcome() throws -> SandboxOutcome {
        guard let bytes = SmallFile.readBytes(folder + "/result", limit: ShimFrame.largestRecord) else {
            throw SandboxError.lost
        }
        return try ShimFrame.outcome(of: ShimFrame.Result(serializedBytes: bytes), shim: process)
    }
}
