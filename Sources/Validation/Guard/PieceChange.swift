package import Domain
import Markup

/// A page that changed by one small piece that came or went, and what that piece holds.
package struct PieceChange: Sendable, Equatable {
    /// How much the size of a page can differ by one piece.
    package static let sizeLimit = Int64(SmallChange.sizeLimit)

    /// Whether it came; otherwise it went.
    package let hasCome: Bool
    let piece: FileSurvey

    /// `nil` when the page changed in another way.
    package init?(of path: SitePath, from before: [UInt8], to after: [UInt8]) {
        guard let change = SmallChange(from: before, to: after) else { return nil }
        hasCome = change.kind == .came
        piece = FileSurvey(of: path, bytes: change.piece)
    }

    /// Whether there is nothing in it that any rule looks for.
    var isHarmless: Bool {
        piece.secrets.isEmpty && piece.placeholders.isEmpty && piece.dangers.isEmpty && piece.origins.isEmpty
            && piece.formHosts.isEmpty && piece.hiddenFrames.isEmpty && piece.imagesWithoutAlternative.isEmpty
    }
}
