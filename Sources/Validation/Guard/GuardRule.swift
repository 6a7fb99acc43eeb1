package import Domain

/// What an edit must not do unasked. The raw value is the `rule` of a ``Finding``.
package enum GuardRule: String, Sendable, CaseIterable {
    // Nothing lost
    case pageLost = "page-lost"
    case headingLost = "heading-lost"
    case textLost = "text-lost"
    case linkLost = "link-lost"
    case imageLost = "image-lost"
    case formLost = "form-lost"
    case scriptLost = "script-lost"
    case frameLost = "frame-lost"
    case placeholderLeft = "placeholder-left"
    // Scope
    case fileLocked = "file-locked"
    case outsideScope = "outside-scope"
    // Injection fence
    case originNew = "origin-new"
    case formForeign = "form-foreign"
    case scriptDangerous = "script-dangerous"
    case frameHidden = "frame-hidden"
    case secretInFile = "secret-in-file"
    // Not worse than before
    case imageAltWorse = "image-alt-worse"
    case titleWorse = "title-worse"
    case languageWorse = "lang-worse"
    case pageHeavy = "page-heavy"
    case fileHeavy = "file-heavy"
    case pageHeavier = "page-heavier"
    case fileHeavier = "file-heavier"

    /// Whether an owner may accept it for one change. A lock is opened by whoever set it, not passed over.
    package var isAcceptable: Bool { self != .fileLocked }

    package var severity: Finding.Severity {
        switch self {
        case .outsideScope, .fileHeavy: .warning
        default: .error
        }
    }

    var plural: String {
        switch self {
        case .pageLost: "pages that are gone"
        case .headingLost: "headings that are gone"
        case .textLost: "texts that are gone"
        case .linkLost: "links that are gone"
        case .imageLost: "images that are gone"
        case .formLost: "forms that are gone"
        case .scriptLost: "scripts that are gone"
        case .frameLost: "embedded pages that are gone"
        case .placeholderLeft: "places where the content was left out"
        case .fileLocked: "locked files that were changed"
        case .outsideScope: "files that the request did not name"
        case .originNew: "new outside sources"
        case .formForeign: "forms that send to other sites"
        case .scriptDangerous: "dangerous pieces of scripts"
        case .frameHidden: "hidden frames"
        case .secretInFile: "secrets in files"
        case .imageAltWorse: "images that came without a description"
        case .titleWorse: "pages that lost their title"
        case .languageWorse: "pages that lost their language"
        case .pageHeavy: "pages that became too heavy"
        case .fileHeavy: "files that became too heavy"
        case .pageHeavier: "pages that became much heavier"
        case .fileHeavier: "files that became much heavier"
        }
    }

    private var advice: String {
        switch self {
        case .pageLost, .headingLost, .textLost, .linkLost, .imageLost, .formLost, .scriptLost, .frameLost:
            "Ask again and say that it has to stay, say in your request that it should go, or accept this finding."
        case .placeholderLeft: "Ask again: the engine left out content instead of writing it."
        case .fileLocked: "Unlock the file in the site's settings, or ask for a change that leaves it alone."
        case .outsideScope: "Look at the change before you promote it, or name these files in your request."
        case .originNew:
            "Ask again and keep the file on your own site, name the source in your request, or accept this finding."
        case .formForeign:
            "Ask again, name the receiver in your request, or accept this finding if you know the receiver."
        case .scriptDangerous, .frameHidden: "Ask again without it. Accept it only if you know what it does."
        case .secretInFile: "Take it out and make a new one: whoever saw the file could use it."
        case .imageAltWorse: "Ask again and say what the picture shows, or accept this finding."
        case .titleWorse, .languageWorse: "Ask again and say that the page keeps it, or accept this finding."
        case .pageHeavy, .fileHeavy: "Use smaller pictures, or accept this finding."
        case .pageHeavier, .fileHeavier:
            "Ask again for smaller files, say in your request which pictures or scripts you want, or accept this finding."
        }
    }

    func finding(
        at path: String, subject: String = "", _ message: String, before: String = "", after: String = ""
    ) -> Finding {
        Finding(
            severity: severity, rule: rawValue, path: path, subject: subject.abridged(to: 300), message: message,
            before: before.abridged(to: 300), after: after.abridged(to: 300), advice: advice)
    }
}
