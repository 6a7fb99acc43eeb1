/// The sorted list of the files of a version. The SHA-256 of ``canonicalText`` is the version's digest.
package struct Manifest: Sendable, Equatable {
    package struct Entry: Sendable, Hashable {
        package let path: SitePath
        package let sizeInBytes: Int64
        package let digest: ContentDigest

        package init(path: SitePath, sizeInBytes: Int64, digest: ContentDigest) {
            self.path = path
            self.sizeInBytes = sizeInBytes
            self.digest = digest
        }
    }

    /// How large a version may be.
    package struct Limits: Sendable, Equatable {
        package var files: Int
        package var totalSizeInBytes: Int64
        package var fileSizeInBytes: Int64
        package static let standard = Limits(files: 50_000, totalSizeInBytes: 2 << 30, fileSizeInBytes: 256 << 20)

        package init(files: Int, totalSizeInBytes: Int64, fileSizeInBytes: Int64) {
            self.files = files
            self.totalSizeInBytes = totalSizeInBytes
            self.fileSizeInBytes = fileSizeInBytes
        }
    }

    /// Sorted by the bytes of the path; no path twice.
    package let entries: [Entry]

    /// Sorts, and refuses two files whose paths are the same or differ only in case, a file that is also a folder,
    /// and more than `limits` allow.
    package init(_ unsorted: [Entry], limits: Limits = .standard) throws(ServiceError) {
        guard unsorted.count <= limits.files else {
            throw ServiceError(
                .validationFailed, "the site has \(unsorted.count) files; \(limits.files) are allowed",
                rule: "file-count")
        }
        entries = unsorted.sorted { $0.path < $1.path }
        var total: Int64 = 0
        var seen: [String: SitePath] = [:]
        seen.reserveCapacity(entries.count)
        for entry in entries {
            guard entry.sizeInBytes >= 0, entry.sizeInBytes <= limits.fileSizeInBytes else {
                throw ServiceError(
                    .validationFailed,
                    "the file \"\(entry.path)\" has \(entry.sizeInBytes) bytes; \(limits.fileSizeInBytes) are allowed",
                    field: "path", rule: "file-size")
            }
            total += entry.sizeInBytes
            if let other = seen.updateValue(entry.path, forKey: entry.path.caseFolded) {
                throw ServiceError(
                    .validationFailed,
                    "\"\(other)\" and \"\(entry.path)\" differ in nothing but upper and lower case",
                    field: "path", rule: "path-collision")
            }
        }
        guard total <= limits.totalSizeInBytes else {
            throw ServiceError(
                .validationFailed, "the site has \(total) bytes; \(limits.totalSizeInBytes) are allowed",
                rule: "total-size")
        }
        for entry in entries {
            var folder = entry.path.caseFolded
            while let slash = folder.lastIndex(of: "/") {
                folder = String(folder[..<slash])
                if let file = seen[folder] {
                    throw ServiceError(
                        .validationFailed, "\"\(file)\" is a file and a folder at once", field: "path",
                        rule: "path-collision")
                }
            }
        }
    }

    package var totalSizeInBytes: Int64 { entries.reduce(0) { $0 + $1.sizeInBytes } }

    /// Finds a file in O(log n).
    package func entry(at path: SitePath) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].path == path ? entries[low] : nil
    }

    /// One line a file, `<sha256> <size> <path>\n`, in order, after the line `pagewright-manifest-1\n`.
    package var canonicalText: String {
        var text = Self.header
        text.reserveCapacity(entries.count * 120)
        for entry in entries {
            text += entry.digest.text
            text += " "
            text += String(entry.sizeInBytes)
            text += " "
            text += entry.path.text
            text += "\n"
        }
        return text
    }

    private static let header = "pagewright-manifest-1\n"

    /// Reads canonical text; refuses everything that ``canonicalText`` would not write.
    package init(canonicalText text: String, limits: Limits = .standard) throws(ServiceError) {
        guard text.hasPrefix(Self.header), text.utf8.last == 0x0a else {
            throw ServiceError(
                .validationFailed, "the manifest has no proper beginning or end", rule: "manifest-format")
        }
        var entries: [Entry] = []
        for line in text.utf8.dropFirst(Self.header.utf8.count).split(separator: 0x0a, omittingEmptySubsequences: false)
            .dropLast()
        {
            let fields = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, let digest = ContentDigest(String(Substring(fields[0]))),
                let size = Int64(Substring(fields[1])), String(size).utf8.elementsEqual(fields[1])
            else {
                throw ServiceError(
                    .validationFailed, "line \(entries.count + 2) of the manifest cannot be read",
                    rule: "manifest-format")
            }
            entries.append(Entry(path: try SitePath(String(Substring(fields[2]))), sizeInBytes: size, digest: digest))
        }
        try self.init(entries, limits: limits)
        guard entries == self.entries else {
            throw ServiceError(.validationFailed, "the manifest is not sorted", rule: "manifest-format")
        }
    }
}
