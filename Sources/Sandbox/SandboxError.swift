/// Why a sandbox could not be built. What a program did inside one is a ``SandboxOutcome``, never an error.
package enum SandboxError: Error, Equatable, CustomStringConvertible {
    /// A program that the sandbox is made of is not installed.
    case missingProgram(String, nextStep: String)
    /// The system refused a part of it; nothing was run.
    case cannotStart(String)
    /// The program may still run: it did not die when it was killed. The number is its shim's.
    case cannotConfirmEnd(process: Int32)
    /// The shim was killed, and with it whatever ran; nobody knows how far that was.
    case lost

    package var description: String {
        switch self {
        case .missingProgram(let name, let nextStep): "the sandbox needs \(name), which is not installed. \(nextStep)"
        case .cannotStart(let reason): "the sandbox could not be built, so nothing was run: \(reason)"
        case .cannotConfirmEnd(let process): "the sandbox of process \(process) did not end when it was killed"
        case .lost: "the program that watched over the sandbox was killed, and what ran in it with it"
        }
    }
}
