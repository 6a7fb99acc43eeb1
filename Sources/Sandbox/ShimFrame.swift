import FoundationEssentials
import SwiftProtobuf

/// The two ways in which frames travel: whole packets on the shim's socket, and one after the other in its files.
enum ShimFrame {
    typealias Start = Pagewright_Shim_V1_Start
    typealias Request = Pagewright_Shim_V1_Request
    typealias Report = Pagewright_Shim_V1_Report
    typealias LogRecord = Pagewright_Shim_V1_LogRecord
    typealias Result = Pagewright_Shim_V1_Result

    /// More than the shim ever writes at once.
    static let largestRecord = 1 << 20

    static func bytes(_ message: some SwiftProtobuf.Message) -> [UInt8] {
        // Messages of ours without required fields and extensions can always be encoded.
        (try? message.serializedBytes()) ?? []
    }

    static func start(
        _ plan: SandboxPlan, driver: any SandboxDriver, controlGroups: ControlGroupParent?, input: [UInt8],
        lease: Duration?, keepsake: [UInt8]
    ) -> Start {
        let limits = plan.limits
        return .with {
            $0.program = driver.program
            $0.arguments = driver.arguments(for: plan, limitsAddressSpace: controlGroups == nil)
            $0.input = Data(input)
            $0.files = driver.files.map { Data($0) }
            $0.limits = .with {
                $0.wallTimeMs = limits.wallTime.shimMilliseconds
                $0.memoryBytes = UInt64(clamping: limits.memoryInBytes)
                $0.processes = UInt64(clamping: limits.processes)
                $0.outputBytes = UInt64(clamping: limits.outputInBytes)
                $0.logBytes = UInt64(clamping: limits.logInBytes)
                $0.folderBytes = UInt64(clamping: limits.workspaceInBytes)
                $0.folderEntries = UInt64(clamping: limits.workspaceFiles)
                $0.diskReserveBytes = UInt64(clamping: limits.diskReserveInBytes)
            }
            if let group = controlGroups?.frame { $0.controlGroup = group }
            $0.folders = [plan.workspace] + plan.writableBinds.map(\.source)
            $0.leaseMs = lease?.shimMilliseconds ?? 0
            $0.endsWithConnection = lease == nil
            $0.keepsake = Data(keepsake)
        }
    }

    static func outcome(of result: Result, shim: Int32) throws(SandboxError) -> SandboxOutcome {
        guard result.isTreeEmpty else { throw .cannotConfirmEnd(process: shim) }
        let ending: SandboxOutcome.Ending
        switch result.ending {
        case .exited: ending = .exited(code: Int(result.exitCode))
        case .cancelled, .leaseExpired, .abandoned: ending = .cancelled
        case .wallTime: ending = .exceeded(.wallTime)
        case .memory: ending = .exceeded(.memory)
        case .processes: ending = .exceeded(.processes)
        case .output: ending = .exceeded(.output)
        case .folderBytes: ending = .exceeded(.workspaceSize)
        case .folderEntries: ending = .exceeded(.workspaceFiles)
        case .diskFull: ending = .exceeded(.diskFull)
        case .notStarted: throw .cannotStart(String(decoding: result.reason, as: UTF8.self))
        case .unspecified, .UNRECOGNIZED: throw .cannotStart("the shim said nothing that this agent understands")
        }
        var diagnostics = String(decoding: result.diagnostics, as: UTF8.self)
        while diagnostics.last == "\n" { diagnostics.removeLast() }
        return SandboxOutcome(
            ending: ending, diagnostics: diagnostics, outputInBytes: Int64(clamping: result.outputBytes),
            use: SandboxOutcome.Use(
                wallTime: .microseconds(Int64(clamping: result.wallTimeUs)),
                processorTime: .microseconds(Int64(clamping: result.userTimeUs &+ result.systemTimeUs)),
                peakMemoryInBytes: Int64(clamping: result.peakMemoryBytes),
                killTime: .microseconds(Int64(clamping: result.killTimeUs))))
    }
}

extension Duration {
    /// At least one, because zero means "never" to a shim.
    var shimMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(
            max(1, seconds.multipliedReportingOverflow(by: 1000).partialValue + attoseconds / 1_000_000_000_000_000))
    }
}

extension ControlGroupParent {
    fileprivate var frame: Pagewright_Shim_V1_ControlGroup {
        switch self {
        case .unified(let folder):
            .with {
                $0.isUnified = true
                $0.memory = folder
            }
        case .legacy(let memory, let processes):
            .with {
                $0.memory = memory
                $0.processes = processes
            }
        }
    }
}
