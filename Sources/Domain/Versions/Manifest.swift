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
        let isSorted = zip(unsorted, unsorted.dropFirst()).allSatisfy { $0.path < $1.path }
        entries = isSorted ? unsorted : unsorted.sorted { $0.path < $1.path }
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
        // Files of one folder mostly follow one another.
        var checked = ""
        for entry in entries {
            var folder = entry.path.folder
            guard folder != checked else { continue }
            checked = folder
            folder = folder.lowercased()
            while !folder.isEmpty {
                defer { folder = folder.utf8.lastIndex(of: 0x2f).map { String(folder[..<$0]) } ?? "" }
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
    package func entry(at path: SitePath) -> Entry? { index(of: path).map { entries[$0] } }

    private func index(of path: SitePath) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].path == path ? low : nil
    }

    /// The same list with some files replaced by others of the same names; `nil` when one of them is new, or when a
    /// limit would be passed.
    func replacing(_ replaced: [Entry], limits: Limits) -> Manifest? {
        var entries = entries
        for entry in replaced {
            guard let index = index(of: entry.path), (0...limits.fileSizeInBytes).contains(entry.sizeInBytes) else {
                return nil
            }
            entries[index] = entry
        }
        let manifest = Manifest(checked: entries)
        let isWithinLimits = entries.count <= limits.files && manifest.totalSizeInBytes <= limits.totalSizeInBytes
        return isWithinLimits ? manifest : nil
    }

    private init(checked entries: [Entry]) { self.entries = entries }

    /// One line a file, `<sha256> <size> <path>\n`, in order, after the line `pagewright-manifest-1\n`.
    package var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }

    /// The UTF-8 of ``canonicalText``.
    package var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.reduce(Self.header.utf8.count) { $0 + 64 + 22 + $1.path.text.utf8.count })
        bytes += Self.header.utf8
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digits in
            for entry in entries {
                entry.digest.writeDigits(to: digits)
                bytes.append(contentsOf: digits)
                bytes.append(0x20)
                bytes.append(contentsOf: String(entry.sizeInBytes).utf8)
                bytes.append(0x20)
                bytes.append(contentsOf: entry.path.text.utf8)
                bytes.append(0x0a)
            }
        }
        return bytes
    }

    private static let header = "pagewright-manifest-1\n"

    /// Reads canonical text; refuses everything that ``canonicalText`` would not write.
    package init(canonicalText text: String, limits: Limits = .standard) throws(ServiceError) {
        guard text.hasPrefix(Self.header), text.utf8.last == 0x0a else {
            throw ServiceError(
                .validationFailed, "the manifest has no proper beginning or end", rule: "manifest-format")
        }
        var text = text
        let result = text.withUTF8 { bytes -> Result<[Entry], ServiceError> in
            var entries: [Entry] = []
            entries.reserveCapacity(bytes.count / 100)
            var rest = bytes[Self.header.utf8.count...]
            while !rest.isEmpty {
                guard let end = rest.firstIndex(of: 0x0a), let entry = Self.fields(in: rest[..<end]) else {
                    return .failure(
                        ServiceError(
                            .validationFailed, "line \(entries.count + 2) of the manifest cannot be read",
                            rule: "manifest-format"))
                }
                do throws(ServiceError) {
                    entries.append(
                        Entry(path: try SitePath(entry.path), sizeInBytes: entry.size, digest: entry.digest))
                } catch {
                    return .failure(error)
                }
                rest = rest[(end + 1)...]
            }
            return .success(entries)
        }
        let entries = try result.get()
        guard zip(entries, entries.dropFirst()).allSatisfy({ $0.path < $1.path || $0.path == $1.path }) else {
            throw ServiceError(.validationFailed, "the manifest is not sorted", rule: "manifest-format")
        }
        try self.init(entries, limits: limits)
    }

    /// `nil` unless the line is written as ``canonicalBytes`` writes it.
    private static func fields(
        in line: Slice<UnsafeBufferPointer<UInt8>>
    ) -> (digest: ContentDigest, size: Int64, path: String)? {
        let digits = line.prefix(64)
        let rest = line.dropFirst(64)
        guard let digest = ContentDigest(digits: UnsafeBufferPointer(rebasing: digits)), rest.first == 0x20,
            let space = rest.dropFirst().firstIndex(of: 0x20)
        else { return nil }
        let written = rest[(rest.startIndex + 1)..<space]
        guard let size = Int64(String(decoding: written, as: UTF8.self)), String(size).utf8.elementsEqual(written)
        else { return nil }
        return (digest, size, String(decoding: rest[(space + 1)...], as: UTF8.self))
    }
}
