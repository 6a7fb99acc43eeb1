import Browser
import Glibc

/// Which browser looks at pages.
package enum BrowserChoice: Sendable, Equatable {
    /// Chromium where Debian's package puts it, when it is there.
    case installed
    case at(String)
    case off

    /// Reads `off`, a path, or nothing.
    package init(_ text: String?) {
        switch text {
        case nil: self = .installed
        case "off": self = .off
        case .some(let path): self = .at(path)
        }
    }

    /// The program, looked for anew each time: a package may come or go while the agent runs. Otherwise why there is none.
    func find() -> Result<String, Absence> {
        switch self {
        case .off: .failure(Absence(reason: "no browser is to look at pages on this worker (--browser off)"))
        case .installed:
            Self.isProgram(PageCheckerPlan.chromium)
                ? .success(PageCheckerPlan.chromium)
                : .failure(
                    Absence(
                        reason: "Chromium is not installed on this worker (\(PageCheckerPlan.chromium) is missing)"))
        case .at(let path):
            Self.isProgram(path) ? .success(path) : .failure(Absence(reason: "there is no program \(path)"))
        }
    }

    struct Absence: Error {
        let reason: String
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
