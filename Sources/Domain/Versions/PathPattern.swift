/// Names files of a site: `legal/imprint.html`, `legal/` (a folder with all in it), `*.css` (in any folder),
/// `img/*.png` (in that folder), `docs/**/index.html`.
package struct PathPattern: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let maximumLength = 255
    package static let maximumNumber = 200
    package let text: String
    private let parts: [Substring]

    package init(_ text: String) throws(ServiceError) {
        let trimmed = text.trimmed
        var cleaned = trimmed.hasPrefix("/") ? String(trimmed.dropFirst()) : trimmed
        guard !cleaned.isEmpty, cleaned.utf8.count <= Self.maximumLength, !cleaned.contains("//"),
            cleaned.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f && $0 != "\\" }),
            !cleaned.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        else {
            throw ServiceError(
                .invalidArgument, "\"\(text.prefix(64))\" is no pattern of paths", field: "patterns",
                rule: "path-pattern",
                nextStep: "Write a file (imprint.html), a folder (legal/), or use * and **, as in img/*.png.")
        }
        self.text = cleaned
        if cleaned.hasSuffix("/") { cleaned += "**" }
        let written = cleaned.split(separator: "/")
        // Without a slash, a pattern with a star means files of that name anywhere.
        parts = written.count == 1 && cleaned.contains("*") && cleaned != "**" ? ["**"] + written : written
    }

    package func matches(_ path: SitePath) -> Bool { Self.matches(parts[...], path.components[...]) }

    /// `**` is any run of folders; as within a name, one look back is enough.
    private static func matches(_ pattern: ArraySlice<Substring>, _ path: ArraySlice<Substring>) -> Bool {
        var (position, index) = (pattern.startIndex, path.startIndex)
        var star: (position: Int, index: Int)?
        while index < path.endIndex {
            if position < pattern.endIndex, pattern[position] == "**" {
                star = (position, index)
                position += 1
                // At the end it stands for all that is left, which is something.
                if position == pattern.endIndex { return true }
            } else if position < pattern.endIndex, matches(Array(pattern[position]), Array(path[index])) {
                position += 1
                index += 1
            } else if let last = star {
                star = (last.position, last.index + 1)
                position = last.position + 1
                index = last.index + 1
            } else {
                return false
            }
        }
        return position == pattern.endIndex
    }

    /// `*` is any run of characters, `?` is any one; one look back is enough.
    private static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
        var (position, index) = (0, 0)
        var star: (position: Int, index: Int)?
        while index < name.count {
            if position < pattern.count, pattern[position] == "*" {
                star = (position, index)
                position += 1
            } else if position < pattern.count, pattern[position] == "?" || pattern[position] == name[index] {
                position += 1
                index += 1
            } else if let last = star {
                star = (last.position, last.index + 1)
                position = last.position + 1
                index = last.index + 1
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == "*" }
    }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
    package var description: String { text }
}
