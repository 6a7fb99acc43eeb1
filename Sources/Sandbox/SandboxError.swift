/// Why a sandbox could not be built. What a program did inside one is a ``SandboxOutcome``, never an error.
package enum SandboxError: Error, Equatable, CustomStringConvertible {
    /// A program that the sandbox is made of is not installed.
    case missingProgram(String, nextStep: String)
    /// The system refused a part of it; nothing was run.
    case cannotStart(String)
    /// The program may still run: it did not die when it was killed.
    case cannotConfirmEnd(process: Int32)

    package var description: String {
        switch self {
        case .missingProgram(let name, let nextStep): "the sandbox needs \(name), which is not installed. \(nextStep)"
        case .cannotStart(let reason): "the sandbox could not be built, so nothing was run: \(reason)"
        case .cannotConfirmEnd(let process): "the sandbox of process \(process) did not end when it was killed"
        }
    }
}
