/// Where an address in a page or style sheet leads, as a browser would resolve it.
package enum SiteAddress: Sendable, Equatable {
    /// Another site, an e-mail address, a script: nothing that a check of this site can judge.
    case elsewhere
    /// A place in the site: the path without a slash at the front, empty for the top, with a slash at the end for a
    /// folder; and the fragment, decoded.
    case inside(path: String, fragment: String?)

    /// - Parameters:
    ///   - reference: as it is written.
    ///   - page: the path of the file that it is written in.
    ///   - base: the `href` of the page's `base`, raw.
    package init(_ reference: String, in page: String, base: String? = nil) {
        if base == nil, let plain = Self.plain(reference, in: page) {
            self = plain
            return
        }
        var folder = page.split(separator: "/").dropLast().map(String.init)
        var pagePath = page
        if let base {
            switch SiteAddress(base, in: page) {
            case .elsewhere:
                // Relative to another site; only what begins with `#` would have been ours, and even that is not.
                self = .elsewhere
                return
            case .inside(let path, _):
                folder = path.split(separator: "/").map(String.init)
                if !path.hasSuffix("/"), !folder.isEmpty { folder.removeLast() }
                pagePath = path
            }
        }
        let cleaned = Self.cleaned(reference)
        guard !Self.hasScheme(cleaned), !cleaned.starts(with: "//".utf8) else {
            self = .elsewhere
            return
        }
        let withoutFragment = cleaned.prefix { $0 != 0x23 }
        let fragment =
            withoutFragment.count < cleaned.count
            ? Self.decoded(cleaned.dropFirst(withoutFragment.count + 1)) : nil
        let path = withoutFragment.prefix { $0 != 0x3f }
        guard !path.isEmpty else {
            self = .inside(path: pagePath, fragment: fragment)
            return
        }
        var parts = path.first == 0x2f ? [] : folder
        let written = path.split(separator: 0x2f, omittingEmptySubsequences: true).map { Self.decoded($0) }
        for part in written {
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        let endsInFolder = path.last == 0x2f || written.last == "." || written.last == ".."
        let joined = parts.joined(separator: "/")
        self = .inside(path: endsInFolder && !joined.isEmpty ? joined + "/" : joined, fragment: fragment)
    }

    /// The answer for an address without anything that needs decoding, as almost all are; `nil` for others. Large sites
    /// have hundreds of thousands of addresses.
    private static func plain(_ reference: String, in page: String) -> SiteAddress? {
        let answer = reference.utf8.withContiguousStorageIfAvailable { bytes -> SiteAddress? in
            guard let first = bytes.first, first > 0x20, bytes[bytes.count - 1] > 0x20 else { return nil }
            var pathEnd = bytes.count
            var fragmentStart: Int?
            for (index, byte) in bytes.enumerated() {
                switch byte {
                case 0x09, 0x0a, 0x0d, 0x25, 0x5c: return nil
                case 0x3a where pathEnd == bytes.count && hasScheme(Array(bytes)): return .elsewhere
                case 0x3f where fragmentStart == nil: pathEnd = min(pathEnd, index)
                case 0x23 where fragmentStart == nil:
                    pathEnd = min(pathEnd, index)
                    fragmentStart = index + 1
                default: break
                }
            }
            if bytes.starts(with: [0x2f, 0x2f]) { return .elsewhere }
            let fragment = fragmentStart.map { String(decoding: bytes[$0...], as: UTF8.self) }
            if pathEnd == 0 { return .inside(path: page, fragment: fragment) }
            return .inside(path: joined(bytes[..<pathEnd], in: page), fragment: fragment)
        }
        return answer ?? nil
    }

    /// `path` as seen from the folder of `page`; with a slash at the end when it names a folder.
    private static func joined(_ path: Slice<UnsafeBufferPointer<UInt8>>, in page: String) -> String {
        var result: [UInt8] = []
        if path.first != 0x2f, let slash = page.utf8.lastIndex(of: 0x2f) { result += page.utf8[..<slash] }
        var endsInFolder = false
        for part in path.split(separator: 0x2f) {
            endsInFolder = part.elementsEqual([0x2e]) || part.elementsEqual([0x2e, 0x2e])
            if !endsInFolder {
                if !result.isEmpty { result.append(0x2f) }
                result += part
            } else if part.count == 2 {
                result.removeSubrange((result.lastIndex(of: 0x2f) ?? 0)...)
            }
        }
        if endsInFolder || path.last == 0x2f, !result.isEmpty { result.append(0x2f) }
        return String(decoding: result, as: UTF8.self)
    }

    /// As browsers do: white space at the ends and line breaks anywhere go, backslashes are slashes.
    private static func cleaned(_ reference: String) -> [UInt8] {
        var bytes = reference.utf8.filter { $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }[...]
        bytes = bytes.drop { $0 <= 0x20 }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        let end = bytes.firstIndex { $0 == 0x3f || $0 == 0x23 } ?? bytes.endIndex
        return bytes.indices.map { bytes[$0] == 0x5c && $0 < end ? 0x2f : bytes[$0] }
    }

    private static func hasScheme(_ bytes: [UInt8]) -> Bool {
        guard let colon = bytes.firstIndex(of: 0x3a), colon > 0, (0x61...0x7a).contains(bytes[0] | 0x20) else {
            return false
        }
        return bytes[..<colon].allSatisfy {
            (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2b || $0 == 0x2d || $0 == 0x2e
        }
    }

    /// Percent signs that are not followed by two digits stay as they are.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == 0x25, index + 2 < bytes.endIndex,
                let high = digit(bytes[index + 1]), let low = digit(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) - 0x57
        default: nil
        }
    }
}
