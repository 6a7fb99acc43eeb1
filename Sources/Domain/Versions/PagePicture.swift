/// A picture that a browser took of a page of a version. Its bytes are a blob.
package struct PagePicture: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The page from its top, as wide as ``PagePicture/width``.
        case page
        /// The start page at a glance, small.
        case thumbnail
    }

    package enum Format: String, Sendable, CaseIterable {
        case png, jpeg

        package var mediaType: String { "image/\(rawValue)" }
    }

    /// A place of a picture, in its own pixels.
    package struct Box: Sendable, Equatable {
        package let x: Int
        package let y: Int
        package let width: Int
        package let height: Int

        package init(x: Int, y: Int, width: Int, height: Int) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }
    }

    /// How wide screens are that pages are looked at on, in CSS pixels.
    package static let widths = [375, 1280]
    /// What is below is not in the picture.
    package static let heightLimit = 4000
    package static let boxLimit = 24
    /// How much one picture may have, and all of one version.
    package static let sizeLimit: Int64 = 2 << 20
    package static let totalSizeLimit: Int64 = 16 << 20

    package let page: SitePath
    package let kind: Kind
    /// In pixels; of a page that of the screen.
    package let width: Int
    package let height: Int
    package let format: Format
    package let digest: ContentDigest
    package let sizeInBytes: Int64
    /// Where it differs from the parent's; `nil` when there is nothing to compare it with.
    package let changes: [Box]?

    package init(
        page: SitePath, kind: Kind, width: Int, height: Int, format: Format, digest: ContentDigest,
        sizeInBytes: Int64, changes: [Box]?
    ) {
        self.page = page
        self.kind = kind
        self.width = width
        self.height = height
        self.format = format
        self.digest = digest
        self.sizeInBytes = sizeInBytes
        self.changes = changes
    }

    /// Whether it is of the same page at the same width.
    package func shows(_ other: PagePicture) -> Bool {
        page == other.page && kind == other.kind && width == other.width
    }

    /// The same, of a version in which the page did not change.
    package var unchanged: PagePicture {
        PagePicture(
            page: page, kind: kind, width: width, height: height, format: format, digest: digest,
            sizeInBytes: sizeInBytes, changes: kind == .page ? [] : nil)
    }
}

extension PagePicture {
    /// What the first bytes of a picture say of it; `nil` when they are of no picture that is taken.
    package static func measure(_ bytes: [UInt8]) -> (format: Format, width: Int, height: Int)? {
        if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
            // The first chunk is the header, and begins with both sides.
            guard bytes.count >= 24, bytes[12..<16].elementsEqual([0x49, 0x48, 0x44, 0x52]) else { return nil }
            func number(_ start: Int) -> Int { bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
            return (.png, number(16), number(20))
        }
        guard bytes.starts(with: [0xff, 0xd8]) else { return nil }
        var index = 2
        // Segments: a mark, its length, its content; the one of the frame has both sides.
        while index + 9 < bytes.count, bytes[index] == 0xff {
            let mark = bytes[index + 1]
            if mark == 0xff {
                index += 1
                continue
            }
            if (0xc0...0xcf).contains(mark), ![0xc4, 0xc8, 0xcc].contains(mark) {
                let height = Int(bytes[index + 5]) << 8 | Int(bytes[index + 6])
                let width = Int(bytes[index + 7]) << 8 | Int(bytes[index + 8])
                return (.jpeg, width, height)
            }
            let length = Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
            guard length >= 2 else { return nil }
            index += 2 + length
        }
        return nil
    }
}
