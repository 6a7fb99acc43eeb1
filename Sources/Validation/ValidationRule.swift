import Domain

/// What a version is checked for. The raw value is the `rule` of a ``Finding``.
package enum ValidationRule: String, Sendable, CaseIterable {
    case fileType = "file-type"
    case serverCode = "server-code"
    case fileHidden = "file-hidden"
    case indexMissing = "index-missing"
    case linkBroken = "link-broken"
    case assetMissing = "asset-missing"
    case htmlParse = "html-parse"
    case pageEmpty = "page-empty"
    case pageUnchecked = "page-unchecked"
    case anchorMissing = "anchor-missing"
    case titleMissing = "title-missing"
    case languageMissing = "lang-missing"
    case imageAltMissing = "image-alt-missing"

    package enum Weight: Sendable {
        /// No version may have it, wherever it comes from.
        case hard
        /// An edit may not bring it in. What a site already had is a warning.
        case breaking
        /// Worth saying; never a reason to refuse.
        case advice
    }

    package var weight: Weight {
        switch self {
        case .fileType, .serverCode, .fileHidden, .indexMissing: .hard
        case .linkBroken, .assetMissing, .htmlParse, .pageEmpty: .breaking
        case .pageUnchecked, .anchorMissing, .titleMissing, .languageMissing, .imageAltMissing: .advice
        }
    }

    /// What a single one of these is called when there are too many to list.
    var plural: String {
        switch self {
        case .fileType: "files of a kind that is not allowed"
        case .serverCode: "files with code for a server"
        case .fileHidden: "hidden files"
        case .indexMissing: "missing home pages"
        case .linkBroken: "links that lead nowhere"
        case .assetMissing: "missing files"
        case .htmlParse: "mistakes in the tags of pages"
        case .pageEmpty: "empty pages"
        case .pageUnchecked: "pages that could not be checked"
        case .anchorMissing: "links to places that are not on their page"
        case .titleMissing: "pages without a title"
        case .languageMissing: "pages that do not say their language"
        case .imageAltMissing: "images without a description"
        }
    }

    /// A finding with the severity that its weight has before any ruling: hard ones are errors.
    func finding(at path: String, subject: String = "", _ message: String) -> Finding {
        Finding(
            severity: weight == .hard ? .error : .warning, rule: rawValue, path: path, subject: subject,
            message: message)
    }
}
