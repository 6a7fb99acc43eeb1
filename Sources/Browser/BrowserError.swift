/// Why a browser could not do what it was asked.
package enum BrowserError: Error, Equatable, CustomStringConvertible {
    case cannotStart(String)
    case ended
    case late(String)
    case refused(method: String, String)
    case tooLarge

    package var description: String {
        switch self {
        case .cannotStart(let reason): "the browser could not be started: \(reason)"
        case .ended: "the browser ended by itself"
        case .late(let what): "the browser did not answer in time: \(what)"
        case .refused(let method, let reason): "the browser refused \(method): \(reason)"
        case .tooLarge: "the browser's answer is too large"
        }
    }
}
